#include "server.h"
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <umbel/util.h>

#define URL_DEFAULT "http://127.0.0.1:8081"
enum { PASSWORD_MAX = 1024, CONNECT_MS = 5000, WHOLE_MS = 300000 };

/* ---- options ---- */

static void take(char **to, const char *value)
{
    free(*to);
    *to = um_xstrdup(value);
}

bool server_options(struct server *s, int *argc, char **argv)
{
    struct { const char *name; char **to; } rows[] = {
        { "--profile", &s->profile }, { "--url", &s->url }, { "--token", &s->token }, { "--user", &s->user }, { "--scope", &s->scope },
        { "--ca", &s->ca },
    };
    int kept = 0;

    for (int i = 0; i < *argc; i++) {
        size_t k = 0;

        while (k < UM_COUNT(rows) && strcmp(argv[i], rows[k].name) != 0)
            k++;
        if (strcmp(argv[i], "--insecure") == 0) {
            s->insecure = true;
        } else if (k == UM_COUNT(rows)) {
            argv[kept++] = argv[i];
        } else if (i + 1 < *argc) {
            take(rows[k].to, argv[++i]);
        } else {
            fprintf(stderr, "umbelctl: %s needs a value\n", argv[i]);
            return false;
        }
    }
    *argc = kept;
    return true;
}

/* ---- the file ---- */

static char *file_name(bool make_folder)
{
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    struct um_buf b = { 0 };
    char *out;

    if (base != NULL && *base != '\0')
        um_buf_puts(&b, base);
    else
        um_buf_printf(&b, "%s/.config", home != NULL ? home : ".");
    if (make_folder)
        mkdir(um_buf_cstr(&b), 0700);
    um_buf_puts(&b, "/umbel");
    if (make_folder)
        mkdir(um_buf_cstr(&b), 0700);
    um_buf_puts(&b, "/umbelctl.json");
    out = um_xstrdup(um_buf_cstr(&b));
    um_buf_free(&b);
    return out;
}

static json_t *read_file(void)
{
    char *name = file_name(false);
    json_t *all = json_load_file(name, 0, NULL);

    free(name);
    return json_is_object(all) ? all : json_object();
}

/* Beside the old one and then over it: a tool that is stopped half-way spoils nothing. */
static bool write_file(const json_t *all)
{
    char *name = file_name(true), *text = json_dumps(all, JSON_INDENT(2));
    struct um_buf beside = { 0 };
    int fd;
    bool ok;

    um_buf_printf(&beside, "%s.new", name);
    fd = open(um_buf_cstr(&beside), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    ok = (fd < 0 || close(fd) == 0) && ok && rename(um_buf_cstr(&beside), name) == 0;
    if (!ok)
        fprintf(stderr, "umbelctl: cannot write %s: %s\n", name, strerror(errno));
    um_buf_free(&beside);
    free(name);
    free(text);
    return ok;
}

static void fill(char **to, const char *env, const json_t *profile, const char *member, const char *without)
{
    const char *value = env != NULL ? getenv(env) : NULL;

    if (*to != NULL)
        return;
    if (value == NULL || *value == '\0')
        value = json_string_value(json_object_get(profile, member));
    if (value == NULL)
        value = without;
    if (value != NULL)
        *to = um_xstrdup(value);
}

static void fill_all(struct server *s)
{
    json_t *file = read_file();
    const json_t *profile;

    fill(&s->profile, "UMBEL_PROFILE", file, "default", "default");
    profile = json_object_get(json_object_get(file, "profiles"), s->profile);
    fill(&s->url, "UMBEL_URL", profile, "url", URL_DEFAULT);
    if (s->user == NULL)                     /* who names another user does not want the kept token */
        fill(&s->token, "UMBEL_TOKEN", profile, "token", NULL);
    fill(&s->user, "UMBEL_USER", profile, "user", NULL);
    fill(&s->scope, "UMBEL_SCOPE", profile, "scope", NULL);
    fill(&s->ca, NULL, profile, "ca", NULL);
    json_decref(file);
}

/* ---- passwords ---- */

/* From the environment, from a terminal without showing it, or a line of standard input. */
static bool read_password(char out[PASSWORD_MAX + 2])
{
    const char *env = getenv("UMBEL_PASSWORD");
    struct termios old, quiet;
    bool tty = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &old) == 0, ok;

    if (env != NULL && *env != '\0' && strlen(env) <= PASSWORD_MAX) {
        snprintf(out, PASSWORD_MAX + 2, "%s", env);
        return true;
    }
    if (tty) {
        fputs("password: ", stderr);
        quiet = old;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    ok = fgets(out, PASSWORD_MAX + 2, stdin) != NULL;
    if (tty) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
        fputc('\n', stderr);
    }
    if (ok)
        out[strcspn(out, "\r\n")] = '\0';
    return ok && *out != '\0';
}

/* Trades a password for a token. */
static int authenticate(struct server *s)
{
    char password[PASSWORD_MAX + 2];
    struct answer a;
    json_t *body, *reply;
    char *text;
    int status;

    if (s->user == NULL) {
        fputs("umbelctl: who speaks? --user, --token, or umbelctl login\n", stderr);
        return 2;
    }
    if (!read_password(password)) {
        fputs("umbelctl: a password is needed: at the terminal, on standard input, or as UMBEL_PASSWORD\n", stderr);
        return 2;
    }
    body = json_pack("{s:s, s:s}", "user", s->user, "password", password);
    if (s->scope != NULL && body != NULL)
        json_object_set_new(body, "scope", json_string(s->scope));
    text = body != NULL ? json_dumps(body, JSON_COMPACT) : um_xstrdup("{}");
    if (!server_ask(s, "POST", "/core/rest/authentication", NULL, "application/json", UM_SPAN_STR(text), &a)) {
        status = 3;
    } else {
        status = answer_status(&a);
        reply = status == 0 ? json_loadb((const char *)a.body.data, a.body.len, 0, NULL) : NULL;
        if (status == 0)
            s->token = um_xstrdup(json_string_value(json_object_get(reply, "value")));
        json_decref(reply);
        answer_free(&a);
    }
    memset(text, 0, strlen(text));
    explicit_bzero(password, sizeof(password));
    free(text);
    json_decref(body);
    return status;
}

int server_ready(struct server *s)
{
    fill_all(s);
    return s->token != NULL ? 0 : authenticate(s);
}

int server_login(struct server *s)
{
    json_t *file, *profiles, *row;
    int status;

    free(s->token);
    s->token = um_xstrdup("");               /* not the kept one */
    fill_all(s);
    free(s->token);
    s->token = NULL;
    status = authenticate(s);
    if (status != 0)
        return status;
    file = read_file();
    profiles = json_object_get(file, "profiles");
    if (!json_is_object(profiles)) {
        profiles = json_object();
        json_object_set_new(file, "profiles", profiles);
    }
    row = json_pack("{s:s, s:s, s:s}", "url", s->url, "user", s->user, "token", s->token);
    if (s->scope != NULL)
        json_object_set_new(row, "scope", json_string(s->scope));
    if (s->ca != NULL)
        json_object_set_new(row, "ca", json_string(s->ca));
    json_object_set_new(profiles, s->profile, row);
    if (json_object_get(file, "default") == NULL)
        json_object_set_new(file, "default", json_string(s->profile));
    status = write_file(file) ? 0 : 1;
    if (status == 0)
        fprintf(stderr, "logged in to %s as %s (profile %s)\n", s->url, s->user, s->profile);
    json_decref(file);
    return status;
}

void server_free(struct server *s)
{
    char *all[] = { s->url, s->token, s->user, s->scope, s->profile, s->ca };

    for (size_t i = 0; i < UM_COUNT(all); i++)
        free(all[i]);
    *s = (struct server){ 0 };
}

/* ---- a question ---- */

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct answer *a = arg;

    if (a->body.len + n * size > ANSWER_MAX)
        return 0;
    um_buf_put(&a->body, data, n * size);
    return a->body.failed ? 0 : n * size;
}

static struct curl_slist *all_headers(const struct server *s, const char *const headers[], const char *type)
{
    struct curl_slist *list = NULL;
    struct um_buf b = { 0 };

    for (size_t i = 0; headers != NULL && headers[i] != NULL; i++)
        list = curl_slist_append(list, headers[i]);
    if (type != NULL) {
        um_buf_printf(&b, "Content-Type: %s", type);
        list = curl_slist_append(list, um_buf_cstr(&b));
    }
    if (s->token != NULL && *s->token != '\0') {
        um_buf_clear(&b);
        um_buf_printf(&b, "token: %s", s->token);
        list = curl_slist_append(list, um_buf_cstr(&b));
    }
    if (s->scope != NULL) {
        um_buf_clear(&b);
        um_buf_printf(&b, "scope: %s", s->scope);
        list = curl_slist_append(list, um_buf_cstr(&b));
    }
    um_buf_free(&b);
    return list;
}

bool server_ask(const struct server *s, const char *method, const char *path, const char *const headers[], const char *type,
                struct um_span body, struct answer *out)
{
    struct curl_slist *list = all_headers(s, headers, type);
    CURL *c = curl_easy_init();
    struct um_buf url = { 0 };
    char *got = NULL;
    CURLcode rc;

    *out = (struct answer){ 0 };
    um_buf_puts(&url, s->url);
    while (url.len > 0 && url.data[url.len - 1] == '/')
        url.len--;
    um_buf_puts(&url, path);
    curl_easy_setopt(c, CURLOPT_URL, um_buf_cstr(&url));
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
    if (type != NULL) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.data);
    }
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "umbelctl/" UMBEL_VERSION);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)WHOLE_MS);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, out);
    if (s->ca != NULL)
        curl_easy_setopt(c, CURLOPT_CAINFO, s->ca);
    if (s->insecure)
        curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
    rc = curl_easy_perform(c);
    if (rc == CURLE_OK) {
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &out->status);
        curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &got);
        snprintf(out->type, sizeof(out->type), "%s", got != NULL ? got : "");
    } else {
        fprintf(stderr, "umbelctl: %s: %s\n", s->url, curl_easy_strerror(rc));
        answer_free(out);
    }
    curl_slist_free_all(list);
    curl_easy_cleanup(c);
    um_buf_free(&url);
    return rc == CURLE_OK;
}

void answer_free(struct answer *a) { um_buf_free(&a->body); }

static void tell_details(const json_t *details)
{
    size_t i;
    json_t *d;

    json_array_foreach(details, i, d) {
        const char *where = json_string_value(json_object_get(d, "path"));

        if (where == NULL)
            where = json_string_value(json_object_get(d, "name"));
        fprintf(stderr, "  %s: %s\n", where != NULL ? where : "-", json_string_value(json_object_get(d, "message")));
    }
}

int answer_status(const struct answer *a)
{
    json_t *error;
    const char *code, *message;

    if (a->status < 400)
        return 0;
    error = a->body.len > 0 ? json_loadb((const char *)a->body.data, a->body.len, 0, NULL) : NULL;
    code = json_string_value(json_object_get(error, "code"));
    message = json_string_value(json_object_get(error, "message"));
    fprintf(stderr, "umbelctl: %ld %s %s\n", a->status, code != NULL ? code : "", message != NULL ? message : "");
    tell_details(json_object_get(error, "details"));
    json_decref(error);
    return a->status >= 500 ? 4 : 1;
}
