/* Every call of the platform. A comment says what it takes beside the ids and what it answers where the schemas do not. */
#ifndef UMBEL_DOMAIN_CALLS_H
#define UMBEL_DOMAIN_CALLS_H
#include <umbel/base.h>

struct um_call;
typedef um_err um_call_fn(struct um_call *c);
struct um_domain_call {
    const char *name;                        /* "documents.create": for log and figures */
    um_call_fn *work;
    unsigned flags;
};
enum {
    UM_CALL_WRITES = 1,                      /* a unit that changes something; a read-only token is refused */
    UM_CALL_LOOSE = 4,                       /* a unit that is right with others beside it (um_store_transact_loosely) */
    UM_CALL_ANY_SCOPE = 2,                   /* the scope need not exist: there is no model */
};
#define UM_CALLS(...) extern const struct um_domain_call __VA_ARGS__

/* scopes: args {ids, force?} */
UM_CALLS(um_scopes_list, um_scopes_get, um_scopes_create, um_scopes_update, um_scopes_delete);
/* configuration objects; args {kind, ids?, force?} */
UM_CALLS(um_objects_list, um_objects_get, um_objects_create, um_objects_update, um_objects_delete);

/* a scope's model as a whole. read: args {users?}: ids; [{"kind", "object"}], the scope (kind "scope") first, and those users that there are. apply: a body [{"kind", "id",
 * "object"?, "version"}] is done in this order, all or nothing; without an object it goes; version: data.version of what is kept
 * now, 0 when nothing is: U00412 when that is no more so. Kinds stand together, and behind those that they refer to. */
UM_CALLS(um_models_read, um_models_apply);

/* Users of the scope. get: args {ids, resolveAuthorities?}; one id: the object, several: an array. search: args {name?, max, after?};
 * answer {results, next?}. of_teams: args {profiles, username, max}: an array. create: args {hash?}, that of the password; body: a user.
 * update: args {id}; body: a user. enable: args {id}, body {enabled}. password: args {id, hash, expired?, proved?}: PROVED is the
 * account (umbel/domain.h) whose password was known; without it role ADMIN or SECURITY_ADMIN is needed, and his tokens end. */
UM_CALLS(um_users_get, um_users_search, um_users_of_teams, um_users_create, um_users_update, um_users_enable, um_users_delete,
         um_users_password);
/* Of the platform itself. credentials: args {id}; answer {scope, hash, account, enabled, expired, name, profiles, groups}; U00404: there is none.
 * present: {profiles, groups} of who asks, if his account is what he says. */
UM_CALLS(um_users_credentials, um_users_present);
/* groups: args {ids}, {name?, max, after?}, {id}; bodies and answers as of users */
UM_CALLS(um_groups_get, um_groups_search, um_groups_create, um_groups_update, um_groups_delete);

/* components; args {category, ids}. X-Reservation-Token, If-Match: of a single one. Updates replace the whole: what is absent is
 * gone; deletes: args {force?}: of what is retained. A body may have `reservationToken`, the fencing token under which it was edited; it is not kept. */
UM_CALLS(um_components_get, um_components_create, um_components_update, um_components_delete);
/* what the caller may do with new components of each class; with components: args {category, ids} */
UM_CALLS(um_rights_of_classes, um_rights_of_components);
/* the body of a document of a collaborative class: args {id}; answers {"right": "NONE" | "READ" | "WRITE"} */
UM_CALLS(um_components_right);
/* what the caller may do with components that he wants to reserve; body: references. Answers {rights, followed}: a word for each: "ABSENT",
 * "NONE" (it is as if it were absent), "READ", "WRITE". args {action?: "LOCK" | "UNLOCK", those: [boolean]}: that is about to happen
 * with THOSE references, and handlers may refuse it. FOLLOWED: handlers want to hear of it, by `held`, when it has. */
UM_CALLS(um_components_rights, um_components_held);
/* the words of such a body, for the search: args {id, text}. Of the platform itself: nobody is asked for a right. */
UM_CALLS(um_components_body_text);
/* children of one folder: args {ids: [folder]}; body: references. Answer: the folder */
UM_CALLS(um_folders_add, um_folders_set, um_folders_remove);
/* tasks: args {ids}; body {id, tags?}: the answer and its reasons. args {ids, user?}: who is to do it. Answer: the tasks */
UM_CALLS(um_tasks_answer, um_tasks_assign);
/* args {ids: [virtual folder]}; answer: the searches of its class, filled with its tags and the caller */
UM_CALLS(um_virtual_folders_searches);
/* args {ids: [virtual folder], search?, start, max, after?}; answer: a page of what each of them, or one, finds */
UM_CALLS(um_virtual_folders_contents);

/* files of a document, for list and contents also of a version of it; args {id, fileId?, versionId?}, X-Reservation-Token, If-Match. All but `contents` answer with all its files.
 * add {replace}: body [{"id": temporary file, "Name"?}]. rename: body is the name, a string. contents: where the bytes of the one,
 * or of all, lie, for who serves them; `show` is false for who may only DOWNLOAD_CONTENT. */
UM_CALLS(um_document_files_list, um_document_files_add, um_document_files_rename, um_document_files_delete, um_document_files_contents);

/* searches: args {category}, body: the search */
UM_CALLS(um_search);
/* exports: args {category, locale?}, body: the search; then args {category, jobId}. A page of the file, behind `after`: {"text",
 * "after"?}. Fail: {error}, what broke a reading off. */
UM_CALLS(um_search_csv, um_search_job, um_search_job_error, um_search_job_page, um_search_job_fail);
/* the text of a file: args {id, fileId}, body: a JSON string */
UM_CALLS(um_content_index, um_content_unindex);

/* facts: args {category, id, start, max}; newest first. create: role ADMIN; body: facts. search: body {searchCriteria,
 * paginationContext}; answer {found, results} */
UM_CALLS(um_facts_list, um_facts_create, um_facts_search);

/* versions of one document: args {id, versionId?, start, max}. create: body: a label, or NULL; answer of it and of revert: the
 * document. list: {"versions": [{"Document"}]}, newest first */
UM_CALLS(um_versions_list, um_versions_get, um_versions_create, um_versions_revert, um_versions_delete, um_versions_clear);

/* favourites of the caller. users: args {authorities: [user]}; put: body: a reference; remove: args {category, id}; delete: args
 * {ids} of components of any category */
UM_CALLS(um_favorites_list, um_favorites_users, um_favorites_put, um_favorites_remove, um_favorites_delete);
/* stored searches: args {ids}; list: args {all?, start, max}: those that the caller may see */
UM_CALLS(um_stored_searches_list, um_stored_searches_get, um_stored_searches_create, um_stored_searches_update,
         um_stored_searches_delete);
/* annotations of one document: args {id, ids?, start, max}; put: body: annotations; those whose ids are there are replaced */
UM_CALLS(um_annotations_list, um_annotations_put, um_annotations_delete, um_annotations_clear);
/* delegations: args {ids} or {user, includeTerminated} */
UM_CALLS(um_delegations_get, um_delegations_delegate, um_delegations_delegator, um_delegations_create, um_delegations_update,
         um_delegations_delete);

/* How a handler is asked now: args {id: registration}; answers {"authorization"?, "injectToken"}. Of the platform itself, for what
 * does jobs: nobody is asked for a right. U00404: it is gone, or not enabled. */
UM_CALLS(um_operations_registration);
/* The files of a document and where they lie: args {id}; the words of one: args {id, fileId}, body: a text. Likewise; of what is gone
 * there is nothing to tell. */
UM_CALLS(um_operations_files, um_operations_file_text);

/* The queue. Args {scope?: a scope, or * for all; registration?, objectId?, since?, start?, max?}. list, count: {status}; get: {id};
 * retry, purge: of status ERROR, {id?, dryRun?}; pause, resume: {registration?}; rate: body {perSecond}.
 * Workers outside: lease: body {queue, worker?, max?, leaseSeconds?}; answer: jobs with payload and fence. end: args {id}, body
 * {fence, code?, message?}: done, or failed. extend: body {fence, leaseSeconds?}. */
UM_CALLS(um_job_list, um_job_count, um_job_get, um_job_summary, um_job_registrations, um_job_retry, um_job_purge, um_job_pause, um_job_resume, um_job_rate,
         um_job_lease, um_job_end, um_job_extend);

#endif
