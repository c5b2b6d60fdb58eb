/* An error as one line for people. */
#include <umbel/yaml.h>

void um_model_error_text(const struct um_model_error *e, struct um_buf *out)
{
    if (e->file[0] != '\0')
        um_buf_printf(out, "%s:", e->file);
    if (e->at.line > 0)
        um_buf_printf(out, "%u:%u:", e->at.line, e->at.column);
    if (e->path[0] != '\0')
        um_buf_printf(out, "%s%s:", out->len > 0 ? " " : "", e->path);
    um_buf_printf(out, "%s%s", out->len > 0 ? " " : "", e->what);
}
