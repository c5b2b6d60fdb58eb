/* A hostile body against a schema, and a hostile comma list: the first byte chooses the schema. Whether a value fits does not
 * depend on who listens; what is told of its faults is UTF-8 and bounded; a list that is taken has so many ids as were allowed. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REF(name) "{\"$ref\": \"#/components/schemas/" name "\"}"
static const char text[] =
    "{\"A\": {\"type\": \"object\", \"required\": [\"id\", \"tags\"], \"additionalProperties\": false, \"minProperties\": 1, \"maxProperties\": 4,"
    " \"properties\": {\"id\": {\"type\": \"string\", \"minLength\": 1, \"maxLength\": 5}, \"tags\": {\"type\": \"array\", \"minItems\": 1,"
    "  \"maxItems\": 3, \"items\": " REF("B") "}, \"at\": {\"format\": \"date-time\"}, \"of\": " REF("A") "}},"
    " \"B\": {\"anyOf\": [{\"type\": \"integer\", \"minimum\": -3, \"maximum\": 3.5}, {\"enum\": [\"x\", null, 1.5, {\"y\": []}]}, " REF("C") "]},"
    " \"C\": {\"type\": [\"array\", \"object\"], \"items\": " REF("D") ", \"additionalProperties\": " REF("C") "},"
    " \"D\": {\"oneOf\": [{\"type\": \"array\", \"maxItems\": 2, \"items\": " REF("D") "}, {\"type\": \"array\", \"minItems\": 2, \"items\": " REF("D") "},"
    "  {\"properties\": {\"k\": {\"const\": 1}, \"d\": {\"format\": \"date\"}}}, {\"type\": \"string\", \"format\": \"uuid\"}]}}";
static const char *const names[] = { "A", "B", "C", "D" };

static void note(void *arg, const char *pointer, const char *message)
{
    UM_ASSERT(um_utf8_is_valid(pointer, strlen(pointer)) && strlen(pointer) < 600);
    UM_ASSERT(um_utf8_is_valid(message, strlen(message)) && strlen(message) < 200);
    ++*(size_t *)arg;
}

static void check_value(const struct api_schema *s, const uint8_t *data, size_t size)
{
    json_t *v = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    size_t n = 0;

    if (v == NULL)
        return;
    UM_ASSERT(api_schema_fits(s, v, note, &n) == api_schema_fits(s, v, NULL, NULL));
    UM_ASSERT(n <= UM_API_FAULTS_MAX);
    UM_ASSERT((n == 0) == api_schema_fits(s, v, NULL, NULL));
    json_decref(v);
}

static void check_list(bool plus, size_t max, const uint8_t *data, size_t size)
{
    size_t n, seen = 0;
    char **ids = api_split_ids(UM_SPAN(data, size), plus, max, &n);

    for (; ids != NULL && ids[seen] != NULL; seen++)
        UM_ASSERT(ids[seen][0] != '\0' && um_utf8_is_valid(ids[seen], strlen(ids[seen])));
    UM_ASSERT(ids == NULL || (seen == n && n <= max));
    free(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct api_schemas *schemas;
    struct um_embedded file = { "fuzz.json", UM_SPAN_STR(text) };
    char why[256] = "";

    if (schemas == NULL)
        UM_ASSERT(api_schemas_new(&schemas, &file, 1, why) == UM_OK);
    if (size == 0)
        return 0;
    check_value(api_schemas_find(schemas, names[data[0] % UM_COUNT(names)]), data + 1, size - 1);
    check_list(data[0] & 1, data[0] % 7, data + 1, size - 1);
    return 0;
}
