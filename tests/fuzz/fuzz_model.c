/* Any model that is read, as YAML or (built with MODEL_XML) as XML, can be written, and gives itself and the same text again. */
#include <stdlib.h>
#include <string.h>
#include <umbel/model.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef MODEL_XML
#define READ um_model_list_read_xml
#else
#define READ um_model_list_read_yaml
#endif

static bool is_read(struct um_model_list *l, um_err err, struct um_model_error *why)
{
    if (err == UM_OK)
        err = um_model_list_finish(l, why);
    UM_ASSERT(err == UM_OK || err == UM_EPROTO || err == UM_ELIMIT);
    UM_ASSERT(err == UM_OK || why->what[0] != '\0');
    return err == UM_OK;
}

static void round_trip(const struct um_model_list *l)
{
    struct um_buf first = { 0 }, second = { 0 };
    struct um_model_list *again = um_model_list_new();
    struct um_model_error why;
    um_err err = um_model_list_write(l, &first);
    json_t *diff;

    UM_ASSERT(err == UM_OK || err == UM_ELIMIT);
    if (err == UM_OK) {
        err = um_model_list_read_yaml(again, UM_SPAN(first.data, first.len), "written", &why);
        UM_ASSERT(err != UM_ELIMIT || first.len > YAML_DOCUMENT_BYTES);
        if (err == UM_OK) {
            UM_ASSERT(is_read(again, err, &why));
            diff = um_model_diff(l, again);
            UM_ASSERT(json_array_size(diff) == 0);
            json_decref(diff);
            UM_ASSERT(um_model_list_write(again, &second) == UM_OK);
            UM_ASSERT(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
        }
    }
    um_buf_free(&first);
    um_buf_free(&second);
    um_model_list_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct um_model_list *l = um_model_list_new();
    struct um_model_error why;

    if (is_read(l, READ(l, UM_SPAN(data, size), "input", &why), &why))
        round_trip(l);
    um_model_list_free(l);
    return 0;
}
