/* Documents as text: text, json, xml, delta. Roots have no type on the wire: it comes from --root NAME=KIND, from
 * the command, or is guessed from what the root holds. */
#include "tool.h"
#include <stdio.h>
#include <string.h>
#include <umbel/crdt_export.h>
#include <umbel/crdt_inspect.h>

enum status document_load(struct job *job, struct um_crdt **out)
{
    um_err err = um_crdt_new(&job->conf, out);

    for (size_t i = 0; i < job->n_inputs && err == UM_OK; i++) {
        const struct input *in = &job->inputs[i];

        for (size_t k = in->first; k < in->first + in->n && err == UM_OK; k++)
            if ((err = um_crdt_load(*out, job->updates[k], NULL)) != UM_OK && err != UM_ENOMEM) {
                um_crdt_free(*out);
                *out = NULL;
                return refused(job, err, in->name);
            }
    }
    if (err == UM_OK)
        return DONE;
    um_crdt_free(*out);
    *out = NULL;
    return refused(job, err, "the document");
}

/* ---- roots --------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum um_crdt_kind kind;
} kinds[] = {
    { "array", UM_CRDT_ARRAY }, { "map", UM_CRDT_MAP }, { "text", UM_CRDT_TEXT }, { "xml", UM_CRDT_XML_FRAGMENT },
    { "xmlelement", UM_CRDT_XML_ELEMENT }, { "xmltext", UM_CRDT_XML_TEXT },
};

/* NAME=KIND; a name may hold `=`, so only a known kind behind the last one counts. */
static struct um_span root_split(const char *arg, enum um_crdt_kind *kind)
{
    const char *sign = strrchr(arg, '=');

    for (size_t i = 0; sign != NULL && i < UM_COUNT(kinds); i++)
        if (strcmp(sign + 1, kinds[i].name) == 0) {
            *kind = kinds[i].kind;
            return UM_SPAN(arg, (size_t)(sign - arg));
        }
    return UM_SPAN_STR(arg);
}

static um_err root_declare(struct um_crdt *doc, struct um_span name, enum um_crdt_kind kind)
{
    um_err err = UM_OK;

    if (kind == UM_CRDT_UNTYPED)
        err = um_crdt_guess_root(doc, name, &kind);
    return err == UM_OK ? um_crdt_declare_root(doc, name, kind) : err;
}

static bool root_exists(const struct um_crdt *doc, struct um_span want)
{
    struct um_span name;
    enum um_crdt_kind kind;

    for (size_t pos = 0; um_crdt_roots(doc, &pos, &name, &kind);)
        if (um_span_eq(name, want))
            return true;
    return false;
}

static enum status unknown_root(const struct um_crdt *doc, struct um_span root)
{
    struct um_span name;
    enum um_crdt_kind kind;

    complain(REFUSED, "no root \"%.*s\"; there are:", (int)root.len, (const char *)root.data);
    for (size_t pos = 0; um_crdt_roots(doc, &pos, &name, &kind);)
        fprintf(stderr, "  %.*s\n", (int)name.len, (const char *)name.data);
    return REFUSED;
}

typedef um_err read_fn(const struct job *job, const struct um_crdt *doc, struct um_span root, struct um_buf *out);

/* One root: the one that --root names, or the only one of KIND. */
static enum status one_root(struct job *job, const char *arg, enum um_crdt_kind kind, read_fn *fn)
{
    struct um_crdt *doc;
    struct um_span root = { NULL, 0 }, name;
    enum um_crdt_kind found;
    enum status status = document_load(job, &doc);
    size_t fits = 0;
    um_err err;

    if (status != DONE)
        return status;
    if (arg != NULL) {
        root = root_split(arg, &kind);
        if (!root_exists(doc, root))
            status = unknown_root(doc, root);
    } else {
        for (size_t pos = 0; um_crdt_roots(doc, &pos, &name, &found);)
            if (um_crdt_guess_root(doc, name, &found) == UM_OK && found == kind) {
                root = name;
                fits++;
            }
        if (fits != 1)
            status = complain(REFUSED, "%s: %zu roots look fit; name one with --root", job->command, fits);
    }
    if (status == DONE) {
        if ((err = root_declare(doc, root, kind)) == UM_OK)
            err = fn(job, doc, root, &job->out);
        if (err == UM_OK)
            um_buf_puts(&job->out, "\n");
        else
            status = refused(job, err, "the root");
    }
    um_crdt_free(doc);
    return status;
}

/* ---- commands ------------------------------------------------------------------------------------------ */

static enum um_crdt_form form_of(const struct job *job) { return job->tagged ? UM_CRDT_TAGGED : UM_CRDT_PLAIN; }

static um_err read_text(const struct job *job, const struct um_crdt *doc, struct um_span root, struct um_buf *out)
{
    (void)job;
    return um_crdt_read_text(doc, root, out);
}

static um_err read_delta(const struct job *job, const struct um_crdt *doc, struct um_span root, struct um_buf *out)
{
    return um_crdt_read_delta(doc, root, form_of(job), out);
}

static um_err read_xml(const struct job *job, const struct um_crdt *doc, struct um_span root, struct um_buf *out)
{
    (void)job;
    return um_crdt_read_xml(doc, root, out);
}

static um_err read_html(const struct job *job, const struct um_crdt *doc, struct um_span root, struct um_buf *out)
{
    (void)job;
    return um_crdt_read_html(doc, root, out);
}

static um_err read_markdown(const struct job *job, const struct um_crdt *doc, struct um_span root, struct um_buf *out)
{
    (void)job;
    return um_crdt_read_markdown(doc, root, out);
}

static um_err read_plain(const struct job *job, const struct um_crdt *doc, struct um_span root, struct um_buf *out)
{
    (void)job;
    return um_crdt_read_plain(doc, root, out);
}

static const char *first_root(const struct job *job) { return job->n_roots > 0 ? job->roots[0] : NULL; }

enum status text_run(struct job *job) { return one_root(job, first_root(job), UM_CRDT_TEXT, read_text); }
enum status delta_run(struct job *job) { return one_root(job, first_root(job), UM_CRDT_TEXT, read_delta); }
enum status xml_run(struct job *job) { return one_root(job, first_root(job), UM_CRDT_XML_FRAGMENT, read_xml); }

enum status html_run(struct job *job) { return one_root(job, first_root(job), UM_CRDT_XML_FRAGMENT, read_html); }
enum status markdown_run(struct job *job) { return one_root(job, first_root(job), UM_CRDT_XML_FRAGMENT, read_markdown); }
enum status plain_run(struct job *job) { return one_root(job, first_root(job), UM_CRDT_XML_FRAGMENT, read_plain); }

/* An object with every root, or with those that --root names. */
enum status json_run(struct job *job)
{
    struct um_crdt *doc;
    struct um_span name;
    enum um_crdt_kind kind;
    enum status status = document_load(job, &doc);
    um_err err = UM_OK;
    size_t n = 0;

    if (status != DONE)
        return status;
    for (size_t i = 0; i < job->n_roots && status == DONE && err == UM_OK; i++) {
        kind = UM_CRDT_UNTYPED;
        name = root_split(job->roots[i], &kind);
        if (root_exists(doc, name))
            err = root_declare(doc, name, kind);
        else
            status = unknown_root(doc, name);
    }
    um_buf_puts(&job->out, "{");
    for (size_t pos = 0; status == DONE && err == UM_OK && um_crdt_roots(doc, &pos, &name, &kind);) {
        if (kind == UM_CRDT_UNTYPED && job->n_roots > 0)
            continue;
        if (kind == UM_CRDT_UNTYPED && (err = root_declare(doc, name, kind)) != UM_OK)
            break;
        um_buf_puts(&job->out, n++ == 0 ? "\"" : ",\"");
        um_json_escape(&job->out, name);
        um_buf_puts(&job->out, "\":");
        err = um_crdt_read_json(doc, name, form_of(job), &job->out);
    }
    um_buf_puts(&job->out, "}\n");
    um_crdt_free(doc);
    return err == UM_OK ? status : refused(job, err, "a root");
}
