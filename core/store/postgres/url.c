/* Where the database is: postgresql:// and postgres:// as libpq reads them, and both with jdbc: before, as Spring's users
 * write them. What is of no use to libpq is translated or refused here, so that a misspelt parameter does not go unseen;
 * Java's driver ignores what it does not know, so after jdbc: that is only told. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "pg_internal.h"

struct parse {
    struct pg_target *to;
    bool jdbc;
    char *hosts, *ports;                     /* lists with commas, decoded; NULL: not given */
    const char *ssl, *factory;               /* of Java's driver */
    char *why;
};

static um_err refuse(struct parse *p, const char *what, const char *name)
{
    snprintf(p->why, 256, "store.url: %s%.80s", what, name);
    return UM_EINVAL;
}

/* ---- parameters ---- */

static struct pg_param *find(struct pg_target *to, const char *key)
{
    for (size_t i = 0; i < to->n_params; i++)
        if (strcmp(to->params[i].key, key) == 0)
            return &to->params[i];
    return NULL;
}

const char *pg_target_param(const struct pg_target *to, const char *key)
{
    const struct pg_param *found = find((struct pg_target *)to, key);

    return found != NULL ? found->value : NULL;
}

/* The last one counts, as in libpq. Takes VALUE over. */
static um_err set(struct parse *p, const char *key, char *value)
{
    struct pg_param *param = find(p->to, key);

    if (param == NULL && p->to->n_params == PG_PARAMS_MAX) {
        free(value);
        return refuse(p, "too many parameters", "");
    }
    if (param == NULL) {
        param = &p->to->params[p->to->n_params++];
        param->key = um_xstrdup(key);
    } else {
        free(param->value);
    }
    param->value = value;
    return UM_OK;
}

static bool libpq_knows(const char *key)
{
    PQconninfoOption *all = PQconndefaults();
    bool known = false;

    for (PQconninfoOption *o = all; o != NULL && o->keyword != NULL && !known; o++)
        known = strcmp(o->keyword, key) == 0;
    PQconninfoFree(all);
    return known;
}

enum meaning { SAME, HOSTS, PORTS, SECONDS, SCHEMA, SSL, FACTORY, SERVER_TYPE, NOTHING };

static const struct translation {
    const char *name;
    enum meaning meaning;
    const char *key;                         /* libpq's; NULL: the same */
} translations[] = {
    { "host", HOSTS, NULL }, { "port", PORTS, NULL }, { "connect_timeout", SECONDS, NULL },
    { "target_session_attrs", SERVER_TYPE, NULL },
    /* Java's driver */
    { "connectTimeout", SECONDS, NULL }, { "loginTimeout", SECONDS, NULL }, { "currentSchema", SCHEMA, NULL },
    { "ssl", SSL, NULL }, { "sslfactory", FACTORY, NULL }, { "targetServerType", SERVER_TYPE, NULL },
    { "ApplicationName", SAME, "application_name" }, { "gssEncMode", SAME, "gssencmode" },
    { "databaseName", SAME, "dbname" }, { "PGDBNAME", SAME, "dbname" }, { "PGHOST", HOSTS, NULL }, { "PGPORT", PORTS, NULL },
    { "kerberosServerName", SAME, "krbsrvname" }, { "tcpKeepAlive", NOTHING, NULL }, { "socketTimeout", NOTHING, NULL },
    { "prepareThreshold", NOTHING, NULL }, { "reWriteBatchedInserts", NOTHING, NULL }, { "stringtype", NOTHING, NULL },
};

/* The store writes: a server that only reads is no good, whoever prefers it. */
static um_err check_server_type(struct parse *p, const char *value)
{
    static const char *const fine[] = { "any", "read-write", "primary", "master", "preferPrimary" };

    for (size_t i = 0; i < UM_COUNT(fine); i++)
        if (strcmp(value, fine[i]) == 0)
            return UM_OK;
    return refuse(p, "the store needs a server that takes writes, not ", value);
}

static um_err take_seconds(struct parse *p, const char *value)
{
    char *end;
    long n = strtol(value, &end, 10);

    if (*value == '\0' || *end != '\0' || n < 0 || n > 3600)
        return refuse(p, "not a number of seconds: ", value);
    p->to->connect_timeout_ms = n * 1000;
    return UM_OK;
}

static um_err take_param(struct parse *p, const char *name, char *value)
{
    struct translation t = { name, NOTHING, NULL };
    um_err err = UM_OK;
    bool known = false;

    for (size_t i = 0; i < UM_COUNT(translations) && !known; i++)
        if (strcmp(translations[i].name, name) == 0) {
            t = translations[i];
            known = true;
        }
    if (!known && libpq_knows(name)) {
        t.meaning = SAME;
        known = true;
    }
    if (!known && !p->jdbc)
        err = refuse(p, "unknown parameter ", name);
    else if (!known)
        um_log(UM_WARN, "store", "parameter_ignored", UM_S("name", name));
    switch (t.meaning) {
    case SAME:
        return set(p, t.key != NULL ? t.key : name, value);
    case HOSTS:
    case PORTS: {
        char **list = t.meaning == HOSTS ? &p->hosts : &p->ports;

        free(*list);
        *list = value;
        return UM_OK;
    }
    case SCHEMA:
        free(p->to->search_path);
        p->to->search_path = value;
        return UM_OK;
    case SSL:
        p->ssl = strcasecmp(value, "false") == 0 ? NULL : "verify-full";
        break;
    case FACTORY:
        p->factory = strstr(value, "NonValidating") != NULL ? "require" : NULL;
        break;
    case SECONDS:
        err = take_seconds(p, value);
        break;
    case SERVER_TYPE:
        err = check_server_type(p, value);
        break;
    case NOTHING:
        break;
    }
    free(value);
    return err;
}

/* ---- the parts of the URL ---- */

/* NULL: malformed %xx. Java's driver reads + as a blank. */
static char *decode(const struct parse *p, const char *s, size_t n, bool is_query)
{
    struct um_buf b = { 0 };
    char *text = NULL;

    if (um_percent_decode(&b, UM_SPAN(s, n)) && memchr(b.data != NULL ? b.data : (uint8_t *)"", 0, b.len) == NULL)
        text = um_xstrdup(um_buf_cstr(&b));
    um_buf_free(&b);
    if (text != NULL && p->jdbc && is_query && memchr(s, '+', n) != NULL)
        for (char *c = text; *c != '\0'; c++)
            *c = *c == '+' ? ' ' : *c;
    return text;
}

static um_err take_user(struct parse *p, const char *s, size_t n)
{
    const char *colon = memchr(s, ':', n);
    char *user = decode(p, s, colon != NULL ? (size_t)(colon - s) : n, false), *password = NULL;
    um_err err = UM_OK;

    if (colon != NULL)
        password = decode(p, colon + 1, n - (size_t)(colon + 1 - s), false);
    if (user == NULL || (colon != NULL && password == NULL)) {
        free(user);
        free(password);
        return refuse(p, "user or password: malformed %xx", "");
    }
    if (user[0] != '\0')
        err = set(p, "user", user);
    else
        free(user);
    if (password != NULL && err == UM_OK)
        err = set(p, "password", password);
    else
        free(password);
    return err;
}

static um_err add_host(struct parse *p, const char *host, size_t host_len, const char *port, size_t port_len)
{
    struct pg_host *h;

    if (p->to->n_hosts == PG_HOSTS_MAX)
        return refuse(p, "too many hosts", "");
    if (strspn(port, "0123456789") < port_len || port_len > 5)
        return refuse(p, "a port is a number", "");
    h = &p->to->hosts[p->to->n_hosts++];
    if ((h->host = decode(p, host, host_len, false)) == NULL)
        return refuse(p, "a host: malformed %xx", "");
    h->port = um_xstrndup(port, port_len);
    return UM_OK;
}

/* host:port,[v6]:port,... */
static um_err take_hosts(struct parse *p, const char *s, const char *end)
{
    um_err err = UM_OK;

    while (err == UM_OK && s < end) {
        const char *comma = memchr(s, ',', (size_t)(end - s)), *stop = comma != NULL ? comma : end;
        const char *host = s, *host_end, *port = stop;

        if (*s == '[') {
            host = s + 1;
            host_end = memchr(host, ']', (size_t)(stop - host));
            if (host_end == NULL)
                return refuse(p, "a host without its ]", "");
            if (host_end + 1 < stop)
                port = host_end[1] == ':' ? host_end + 2 : host_end + 1;
        } else {
            host_end = memchr(s, ':', (size_t)(stop - s));
            if (host_end != NULL)
                port = host_end + 1;
            else
                host_end = stop;
        }
        err = add_host(p, host, (size_t)(host_end - host), port, (size_t)(stop - port));
        s = stop + 1;
    }
    return err;
}

static um_err take_query(struct parse *p, const char *s)
{
    um_err err = UM_OK;

    while (err == UM_OK && *s != '\0') {
        size_t n = strcspn(s, "&"), key_len = strcspn(s, "=&");
        char *name, *value;

        if (n > 0) {
            name = decode(p, s, key_len, true);
            value = key_len < n ? decode(p, s + key_len + 1, n - key_len - 1, true) : um_xstrdup("true");
            if (name != NULL && value != NULL) {
                err = take_param(p, name, value);
            } else {
                free(value);
                err = refuse(p, "a parameter: malformed %xx", "");
            }
            free(name);
        }
        s += n + (s[n] == '&');
    }
    return err;
}

/* ?host=a,b&port=1,2; one port is for all of them. */
static um_err take_host_lists(struct parse *p)
{
    const char *ports = p->ports != NULL ? p->ports : "", *at = p->hosts;
    um_err err = UM_OK;

    if (p->hosts == NULL && p->ports == NULL)
        return UM_OK;
    if (p->hosts == NULL)
        return p->to->n_hosts == 0 ? add_host(p, "", 0, ports, strlen(ports)) : refuse(p, "port without host", "");
    if (p->to->n_hosts > 0)
        return refuse(p, "hosts are given twice", "");
    while (err == UM_OK) {
        size_t n = strcspn(at, ","), port_len = strcspn(ports, ",");

        if (p->to->n_hosts == PG_HOSTS_MAX || port_len > 5)
            return refuse(p, "too many hosts, or a port that is none", "");
        p->to->hosts[p->to->n_hosts++] =
            (struct pg_host){ um_xstrndup(at, n), um_xstrndup(ports, port_len) };     /* is decoded already */
        if (at[n] == '\0')
            break;
        at += n + 1;
        ports += ports[port_len] == ',' ? port_len + 1 : 0;
    }
    return err;
}

static um_err take_parts(struct parse *p, const char *rest)
{
    const char *query = rest + strcspn(rest, "?"), *host = rest, *slash, *at = NULL, *name;
    um_err err = UM_OK;

    if (strncmp(rest, "//", 2) == 0) {
        host = rest + 2;
        slash = host + strcspn(host, "/?");
        for (const char *c = host; c < slash; c++)     /* a password may hold an @ */
            at = *c == '@' ? c : at;
        if (at != NULL)
            err = take_user(p, host, (size_t)(at - host));
        if (err == UM_OK)
            err = take_hosts(p, at != NULL ? at + 1 : host, slash);
        name = *slash == '/' ? slash + 1 : slash;
    } else {
        name = rest;                         /* postgresql:database, as in Java */
    }
    if (err == UM_OK && name < query) {
        char *db = decode(p, name, (size_t)(query - name), false);

        err = db != NULL ? set(p, "dbname", db) : refuse(p, "the database: malformed %xx", "");
    }
    if (err == UM_OK && *query == '?')
        err = take_query(p, query + 1);
    return err == UM_OK ? take_host_lists(p) : err;
}

/* ---- the whole ---- */

/* What the log and a refusal may show: no user, no password. */
static char *show(const struct pg_target *to)
{
    struct um_buf b = { 0 };
    const char *db = pg_target_param(to, "dbname");
    char *text;

    for (size_t i = 0; i < to->n_hosts; i++) {
        const struct pg_host *h = &to->hosts[i];

        um_buf_printf(&b, "%s%s%s%s", i > 0 ? "," : "", h->host, h->port[0] != '\0' ? ":" : "", h->port);
    }
    um_buf_printf(&b, "/%s", db != NULL ? db : "");
    text = um_xstrdup(um_buf_cstr(&b));
    um_buf_free(&b);
    return text;
}

static um_err fill_in(struct parse *p, const struct um_store_conf *cf)
{
    um_err err = UM_OK;

    if (p->to->n_hosts == 0)
        err = add_host(p, "", 0, "", 0);     /* libpq's default */
    if (err == UM_OK && cf->user != NULL && cf->user[0] != '\0' && find(p->to, "user") == NULL)
        err = set(p, "user", um_xstrdup(cf->user));
    if (err == UM_OK && cf->password != NULL && cf->password[0] != '\0' && find(p->to, "password") == NULL)
        err = set(p, "password", um_xstrdup(cf->password));
    if (err == UM_OK && p->ssl != NULL && find(p->to, "sslmode") == NULL)
        err = set(p, "sslmode", um_xstrdup(p->factory != NULL ? p->factory : p->ssl));
    if (p->to->connect_timeout_ms == 0)
        p->to->connect_timeout_ms = cf->connect_timeout_ms;
    return err;
}

um_err pg_target_parse(struct pg_target *to, const char *url, const struct um_store_conf *cf, char why[256])
{
    struct parse p = { .to = to, .why = why };
    const char *rest = url;
    um_err err;

    if (strncmp(rest, "jdbc:", 5) == 0) {
        p.jdbc = true;
        rest += 5;
    }
    rest += strncmp(rest, "postgresql:", 11) == 0 ? 11 : strlen("postgres:");
    err = take_parts(&p, rest);
    if (err == UM_OK)
        err = fill_in(&p, cf);
    if (err == UM_OK)
        to->shown = show(to);
    free(p.hosts);
    free(p.ports);
    return err;
}

void pg_target_free(struct pg_target *to)
{
    for (size_t i = 0; i < to->n_params; i++) {
        explicit_bzero(to->params[i].value, strlen(to->params[i].value));
        free(to->params[i].key);
        free(to->params[i].value);
    }
    for (size_t i = 0; i < to->n_hosts; i++) {
        free(to->hosts[i].host);
        free(to->hosts[i].port);
    }
    free(to->search_path);
    free(to->shown);
    *to = (struct pg_target){ 0 };
}
