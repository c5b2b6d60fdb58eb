/* Every failure point that the code has; an order that names another one is refused. */
#define UM_FAILPOINT_NAMES(X)                                                                          \
    X(edit.before_append) X(edit.after_append) X(edit.before_commit) X(edit.after_commit)              \
    X(edit.before_ack) X(edit.before_publish)                                                          \
    X(snapshot.before_read) X(snapshot.before_write) X(snapshot.after_write)                           \
    X(version.before_put) X(version.after_put) X(version.after_archived) X(restore.before_change)      \
    X(trim.before) X(trim.after) X(load.before) X(load.error) X(unload.before)                         \
    X(session.before_save) X(session.after_save) X(session.before_revoke)                              \
    X(resv.after_token) X(resv.before_redis) X(resv.renew)                                             \
    X(bus.drop) X(bus.dup) X(bus.swap) X(drain.start) X(drain.before_close) X(startup.migrate) X(startup.before_listen) X(file.before_rename) X(file.before_sync) \
    X(search.walk) X(loop.beat)                                                                        \
    X(job.before_outbox) X(job.after_outbox) X(operation.after_commit)                                 \
    X(job.before_effect) X(job.after_effect) X(job.before_ack) X(job.before_offer) X(lease.renew) X(fold.taken)
