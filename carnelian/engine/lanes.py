def install(engine):
    pass
