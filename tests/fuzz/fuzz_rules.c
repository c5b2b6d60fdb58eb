/* Any text as rules: no crash; what is accepted is applied to a component, twice with the same outcome; what is not, says why. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char image_text[] = "{\"id\":\"d1\",\"name\":\"Bill\",\"data\":{\"classId\":\"Invoice\"},\"tags\":[{\"name\":\"T\",\"value\":[\"a\",\"b\"]}]}";

static void must(bool condition)
{
    if (!condition)
        abort();
}

static bool same(const json_t *a, const json_t *b) { return a == NULL ? b == NULL : json_equal(a, b); }

static void use(const struct rules *r)
{
    json_t *image = json_loads(image_text, 0, NULL), *before = json_deep_copy(image);
    const struct filter_subject s = { .image = image, .user = "ann", .category = "DOCUMENT" };
    struct rules_outcome one, two;

    rules_apply(r, &s, 0, &one);
    rules_apply(r, &s, 0, &two);
    must(json_equal(image, before));
    must((one.code == NULL) == (two.code == NULL) && same(one.component, two.component) && same(one.facts, two.facts) && same(one.tasks, two.tasks));
    must(one.code == NULL || (one.component == NULL && one.facts == NULL && one.tasks == NULL));
    rules_outcome_done(&one);
    rules_outcome_done(&two);
    json_decref(image);
    json_decref(before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = um_xstrndup((const char *)data, size), why[RULES_WHY_MAX] = "";
    struct rules *r = rules_new(text, why);

    if (r != NULL)
        use(r);
    else
        must(why[0] != '\0');
    rules_free(r);
    free(text);
    return 0;
}
