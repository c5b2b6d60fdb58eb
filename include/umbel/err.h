/* What can go wrong, in one list. A function that can fail returns um_err and leaves its
 * outputs untouched (or NULL) unless its comment says otherwise. */
#ifndef UMBEL_ERR_H
#define UMBEL_ERR_H

#define UM_ERRS(X)                                                     \
    X(OK,       "ok")                                                  \
    X(ENOMEM,   "out of memory")          /* or over a memory budget */ \
    X(EINVAL,   "invalid argument")       /* our caller's or the user's value */ \
    X(EPROTO,   "malformed input")        /* a peer's bytes */         \
    X(ELIMIT,   "limit exceeded")         /* a named limit */          \
    X(ENOTFOUND,"not found")                                           \
    X(EEXIST,   "already exists")                                      \
    X(ECONFLICT,"version conflict")                                    \
    X(EDENIED,  "denied")                                              \
    X(EBUSY,    "busy")                                                \
    X(EUNAVAIL, "unavailable")            /* a dependency is away; the outcome may be unknown */ \
    X(ETIMEOUT, "timed out")                                           \
    X(EIO,      "input/output error")                                  \
    X(ECORRUPT, "stored data is damaged")                              \
    X(ECLOSED,  "closed")

typedef enum um_err {
#define X(name, text) UM_##name,
    UM_ERRS(X)
#undef X
    UM_ERR_N
} um_err;

const char *um_err_text(um_err err);   /* "not found"; never NULL */

#endif
