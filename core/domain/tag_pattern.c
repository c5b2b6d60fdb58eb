#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <string.h>
#include "tag_pattern.h"

enum { NEST_MAX = 50, STEPS_MAX = 20000, DEPTH_MAX = 2000, HEAP_MAX_KIB = 1024 };

static pcre2_code *compile(const char *pattern, int *error, size_t *offset)
{
    pcre2_compile_context *limits = pcre2_compile_context_create(NULL);
    pcre2_code *code;

    pcre2_set_max_pattern_length(limits, TAG_PATTERN_MAX);
    pcre2_set_parens_nest_limit(limits, NEST_MAX);
    code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                         PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NEVER_BACKSLASH_C, error, offset, limits);
    pcre2_compile_context_free(limits);
    return code;
}

bool tag_pattern_fault(const char *pattern, char why[200])
{
    unsigned char text[120];
    size_t offset;
    int error;
    pcre2_code *code = compile(pattern, &error, &offset);

    if (code == NULL) {
        pcre2_get_error_message(error, text, sizeof(text));
        snprintf(why, 200, "the pattern cannot be understood at byte %zu: %s", offset, (const char *)text);
    }
    pcre2_code_free(code);
    return code == NULL;
}

static int match(const pcre2_code *code, const char *value)
{
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_match_data *found = pcre2_match_data_create(1, NULL);
    int result;

    pcre2_set_match_limit(limits, STEPS_MAX);
    pcre2_set_depth_limit(limits, DEPTH_MAX);
    pcre2_set_heap_limit(limits, HEAP_MAX_KIB);
    result = pcre2_match(code, (PCRE2_SPTR)value, strlen(value), 0, 0, found, limits);
    pcre2_match_data_free(found);
    pcre2_match_context_free(limits);
    return result;
}

enum tag_match tag_pattern_match(const char *pattern, const char *value)
{
    size_t offset;
    int error, result;
    pcre2_code *code = compile(pattern, &error, &offset);

    if (code == NULL)
        return TAG_TOO_HARD;
    result = match(code, value);
    pcre2_code_free(code);
    return result >= 0 ? TAG_MATCHES : result == PCRE2_ERROR_NOMATCH ? TAG_DIFFERS : TAG_TOO_HARD;
}
