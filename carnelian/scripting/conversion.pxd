cpdef tuple reply_to_lua(object value, int resp)
cpdef object reply_from_lua(bytes layout, tuple values, int resp)
cpdef object argument_text(object value)
