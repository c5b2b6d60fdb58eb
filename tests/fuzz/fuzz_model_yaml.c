/* Any bytes are refused with a reason or read; what was read can be written, is read again as the same value, and
 * written again as the same bytes. */
#include <stdlib.h>
#include <string.h>
#include <umbel/yaml.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const one_line[] = { "a", "displayNames", "entries", NULL };

static void round_trip(const json_t *value)
{
    struct um_buf first = { 0 }, second = { 0 };
    struct um_model_error why;
    struct um_yaml *y;
    um_err err = um_yaml_write(value, one_line, &first);

    UM_ASSERT(err == UM_OK);
    err = um_yaml_read(UM_SPAN(first.data, first.len), "written", &y, &why);
    /* What aliases stood for is written out, and may be too large to be read in one piece. */
    UM_ASSERT(err == UM_OK || (err == UM_ELIMIT && first.len > YAML_DOCUMENT_BYTES));
    if (err == UM_OK) {
        UM_ASSERT(um_yaml_documents(y) == 1);
        UM_ASSERT(json_equal(value, um_yaml_peek(y, 0)));
        UM_ASSERT(um_yaml_write(um_yaml_peek(y, 0), one_line, &second) == UM_OK);
        UM_ASSERT(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    }
    um_yaml_free(y);
    um_buf_free(&first);
    um_buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct um_model_error why;
    struct um_yaml *y;
    um_err err = um_yaml_read(UM_SPAN(data, size), "input", &y, &why);
    size_t i;

    UM_ASSERT((err == UM_OK) == (y != NULL));
    UM_ASSERT(err == UM_OK || err == UM_EPROTO || err == UM_ELIMIT);
    UM_ASSERT(err == UM_OK || why.what[0] != '\0');
    for (i = 0; err == UM_OK && i < um_yaml_documents(y); i++)
        round_trip(um_yaml_peek(y, i));
    um_yaml_free(y);
    return 0;
}
