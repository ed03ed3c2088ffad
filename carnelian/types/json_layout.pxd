# What the interpreter's objects look like: for estimating what they take.

cdef extern from "Python.h":
    ctypedef struct PyListObject:
        Py_ssize_t allocated
    bint PyUnicode_IS_ASCII(object text)
    int PyUnicode_KIND(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    long long PyLong_AsLongLongAndOverflow(object number, int *overflow) except? -1
