/* Any text as an execution filter: no crash; what is accepted is held against a component and against itself as a search; what is not,
 * says why. Of XML: reading it twice gives the same. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "filter_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char image_text[] =
    "{\"id\":\"d1\",\"name\":\"\\u00c9t\\u00e9\",\"assignee\":\"bob\",\"data\":{\"classId\":\"Invoice\",\"creationDate\":\"2024-01-05\",\"n\":1.5},"
    "\"tags\":[{\"name\":\"T\",\"value\":[\"a\",\"\",\"b*c\"]},{\"name\":\"N\",\"value\":[\"9\"]}]}";

static void use(const struct filter *f, const char *text)
{
    json_t *image = json_loads(image_text, 0, NULL), *request = json_loads(text, 0, NULL);

    if (image == NULL)
        abort();
    (void)filter_matches(f, &(struct filter_subject){ .image = image, .user = "ann", .category = "DOCUMENT" });
    (void)filter_matches(f, &(struct filter_subject){ .image = image, .id = "carl", .is_assignment = true });
    if (request != NULL)
        (void)filter_matches(f, &(struct filter_subject){ .request = request, .user = "ann" });
    (void)filter_matches(f, &(struct filter_subject){ .user = "ann" });
    json_decref(image);
    json_decref(request);
}

static void read_twice(const char *text)
{
    char why[FILTER_WHY_MAX] = "", again[FILTER_WHY_MAX] = "";
    struct um_span span = UM_SPAN_STR(text);
    json_t *one, *two;

    if (span.len > FILTER_TEXT_MAX)
        return;
    one = filter_read_xml(span, why);
    two = filter_read_xml(span, again);
    if ((one == NULL) != (why[0] != '\0') || strcmp(why, again) != 0 || (one != NULL && !json_equal(one, two)))
        abort();
    json_decref(one);
    json_decref(two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = um_xstrndup((const char *)data, size), why[FILTER_WHY_MAX] = "";
    struct filter *f = filter_new(text, why);

    if (f != NULL)
        use(f, text);
    else if (why[0] == '\0')
        abort();
    filter_free(f);
    read_twice(text);
    free(text);
    return 0;
}
