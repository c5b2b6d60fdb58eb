/* Documents of Tiptap and ProseMirror editors as HTML, Markdown, plain text and JSON: for export, for search and for others.
 *
 *   err = um_crdt_declare_root(doc, root, UM_CRDT_XML_FRAGMENT);      // "default" of Tiptap, "prosemirror" of y-prosemirror
 *   if (err == UM_OK)
 *       err = um_crdt_read_html(doc, root, &html);
 *
 * Nodes and marks are known by both spellings (bulletList and bullet_list, bold and strong); what is not known keeps
 * its text, and in HTML its name and attributes as data-attributes. A root that is a text becomes a paragraph per
 * line. UM_ENOTFOUND when there is no such root, UM_EINVAL when it is neither XML nor a text, UM_ELIMIT when the
 * output would be out of proportion to the document (64 times and 4 MB), UM_ENOMEM. OUT is
 * appended to; after an error its new bytes mean nothing. The document is read as the other readers of crdt.h do. */
#ifndef UMBEL_CRDT_EXPORT_H
#define UMBEL_CRDT_EXPORT_H
#include <umbel/crdt.h>

/* A fragment of HTML: balanced, escaped, well-formed UTF-8. Links lead to http, https, mailto, tel, ftp or stay
 * within the site, images may be data: of a bitmap; every other address is left out. No script can come of it. */
UM_CHECK_RESULT um_err um_crdt_read_html(const struct um_crdt *doc, struct um_span root, struct um_buf *out);

/* CommonMark with the tables, tasks and strikes of GitHub. Text is escaped so that rendering gives it back; marks
 * that Markdown lacks, or that its rules would not see, are inline HTML. */
UM_CHECK_RESULT um_err um_crdt_read_markdown(const struct um_crdt *doc, struct um_span root, struct um_buf *out);

/* The text alone, a line per block. */
UM_CHECK_RESULT um_err um_crdt_read_plain(const struct um_crdt *doc, struct um_span root, struct um_buf *out);

/* All roots as one JSON object, {"default":{"type":"doc","content":[…]}}: the nodes and marks of ProseMirror, as y-prosemirror's
 * yDocToProsemirrorJSON gives them; roots that are no editor's as their toJSON(). Declares the roots as what they look like.
 * Other than the above it has no limit of its own: at most some times what the document encodes to, but for formats. */
UM_CHECK_RESULT um_err um_crdt_read_prosemirror(struct um_crdt *doc, struct um_buf *out);

#endif
