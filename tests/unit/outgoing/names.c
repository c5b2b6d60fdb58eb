#include "names.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <umbel/base.h>

_Atomic bool names_slow_may_end;
_Atomic int names_slow_now;

static const struct { const char *name, *addresses[3]; } names[] = {
    { "inside.example",   { "127.0.0.1" } },
    { "other.example",    { "127.0.0.1" } },
    { "mapped.example",   { "::ffff:127.0.0.1" } },
    { "nat64.example",    { "64:ff9b::127.0.0.1" } },
    { "any.example",      { "0.0.0.0" } },
    { "metadata.example", { "169.254.169.254" } },
    { "private.example",  { "10.255.255.254", "fd00::1" } },
    { "both.example",     { "169.254.169.254", "127.0.0.1" } },
};

static struct addrinfo *make(const char *text, uint16_t port)
{
    struct addrinfo *ai = um_xcalloc(1, sizeof(*ai) + sizeof(struct sockaddr_in6));
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)(ai + 1);
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)(ai + 1);

    ai->ai_addr = (struct sockaddr *)(void *)(ai + 1);
    ai->ai_socktype = SOCK_STREAM;
    ai->ai_protocol = IPPROTO_TCP;
    ai->ai_family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
    ai->ai_addr->sa_family = (sa_family_t)ai->ai_family;
    ai->ai_addrlen = ai->ai_family == AF_INET6 ? sizeof(*v6) : sizeof(*v4);
    if (ai->ai_family == AF_INET6) {
        UM_ASSERT(inet_pton(AF_INET6, text, &v6->sin6_addr) == 1);
        v6->sin6_port = htons(port);
    } else {
        UM_ASSERT(inet_pton(AF_INET, text, &v4->sin_addr) == 1);
        v4->sin_port = htons(port);
    }
    return ai;
}

static void wait_slowly(void)
{
    names_slow_now++;
    while (!names_slow_may_end)
        usleep(1000);
    names_slow_now--;
}

int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
    struct addrinfo **at = out;

    (void)hints;
    *out = NULL;
    if (strcmp(name, "slow.example") == 0)
        wait_slowly();
    for (size_t i = 0; i < UM_COUNT(names); i++)
        for (size_t k = 0; strcmp(names[i].name, name) == 0 && k < UM_COUNT(names[i].addresses) && names[i].addresses[k] != NULL; k++) {
            *at = make(names[i].addresses[k], service != NULL ? (uint16_t)atoi(service) : 0);
            at = &(*at)->ai_next;
        }
    return *out != NULL ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *ai)
{
    for (struct addrinfo *next; ai != NULL; ai = next) {
        next = ai->ai_next;
        free(ai);
    }
}
