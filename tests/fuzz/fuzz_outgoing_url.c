/* Any text as a URL: no crash, and what our judge accepts libcurl reads alike: the same scheme, host and port, no credentials. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <curl/curl.h>
#include <umbel/util.h>
#include "allow.h"
#include "url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *part_of(CURLU *u, CURLUPart part)
{
    char *text = NULL;

    return curl_url_get(u, part, &text, part == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) == CURLUE_OK ? text : NULL;
}

static void must(bool condition)
{
    if (!condition)
        abort();
}

static bool same_host(const struct url *ours, char *theirs)
{
    size_t n = strlen(theirs);
    struct address a;

    if (n > 1 && theirs[0] == '[') {
        theirs[n - 1] = '\0';
        return ours->is_address && address_parse(&a, theirs + 1) && memcmp(&a, &ours->address, sizeof(a)) == 0;
    }
    if (theirs[n - 1] == '.')
        theirs[n - 1] = '\0';
    return strcasecmp(theirs, ours->host) == 0;
}

static void compare(const struct url *ours, const char *text)
{
    CURLU *u = curl_url();
    char *scheme = NULL, *host = NULL, *port = NULL;

    must(curl_url_set(u, CURLUPART_URL, text, CURLU_PATH_AS_IS) == CURLUE_OK);
    must((scheme = part_of(u, CURLUPART_SCHEME)) != NULL && (host = part_of(u, CURLUPART_HOST)) != NULL && (port = part_of(u, CURLUPART_PORT)) != NULL);
    must(strcmp(scheme, ours->tls ? "https" : "http") == 0);
    must(strtoul(port, NULL, 10) == ours->port);
    must(same_host(ours, host));
    must(part_of(u, CURLUPART_USER) == NULL && part_of(u, CURLUPART_PASSWORD) == NULL && part_of(u, CURLUPART_FRAGMENT) == NULL);
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = um_xstrndup((const char *)data, size), why[256] = "";
    struct allow allow;
    const char *reason;
    struct url u;

    if (size > 4096) {
        free(text);
        return 0;
    }
    if (url_parse(&u, text, &reason))
        compare(&u, text);
    else
        must(reason != NULL);
    if (allow_parse(&allow, text, why, sizeof(why)) != UM_OK)
        must(why[0] != '\0');
    allow_free(&allow);
    free(text);
    return 0;
}
