/* Versions of documents: pictures of one as it was, each with the files that it had (files.h: they belong to an owner of the
 * version's own). The document says which of them it is: currentVersion, versionLabel, versionSeriesId. A class has none of them,
 * lets people keep them (MANUAL), or keeps one with each change of a document's files as well (AUTO). */
#ifndef DOMAIN_VERSIONS_H
#define DOMAIN_VERSIONS_H
#include "component.h"

enum { VERSIONS_MAX = 1000 };                /* of a document; an automatic one more makes the oldest go */

/* Called for each document that is about to be written, or, new (BEFORE is NULL), has just been: NEXT is what it is to be. Keeps
 * a version of it when the class wants one, and says so in NEXT. *KEPT: it has. */
UM_CHECK_RESULT um_err versions_follow(struct um_call *c, const struct component *m, const json_t *before, json_t *next, bool *kept);
/* The document of the call's `versionId` as it was (*BODY, ours): its `currentVersion` is that one. U00404: M has no such version. */
UM_CHECK_RESULT um_err version_find(struct um_call *c, const struct component *m, json_t **body);

#endif
