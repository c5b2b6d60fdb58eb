/* Configuration rows of login and session cookie. */
#include <auth/auth.h>

static const char *const secure_words[] = { "auto", "true", "false", NULL };
static const char *const same_site_words[] = { "lax", "strict", "none", NULL };

#define AT(f) .at = offsetof(struct um_auth_conf, f)
static const struct um_conf_key keys[] = {
    { "server.servlet.session.cookie.name", NULL, "SESSION", "name of the session cookie; __Host-SESSION keeps neighbouring hosts from setting one, and needs TLS",
      UM_CONF_STR, 0, AT(cookie_name), .min = 1, .max = 64 },
    { "server.servlet.session.cookie.path", NULL, "/", "path of the session cookie; it must cover /gui, /core, /collab and /y",
      UM_CONF_STR, 0, AT(cookie_path), .min = 1, .max = 256 },
    { "server.servlet.session.cookie.domain", NULL, "", "domain of the session cookie; empty: this host alone",
      UM_CONF_STR, 0, AT(cookie_domain), .max = 255 },
    { "server.servlet.session.cookie.secure", NULL, "auto",
      "whether browsers send the cookie over TLS alone; auto: when a trusted proxy says that the login came by TLS",
      UM_CONF_ENUM, 0, AT(cookie_secure), .words = secure_words },
    { "server.servlet.session.cookie.same-site", NULL, "lax", "whether other sites' links carry the cookie",
      UM_CONF_ENUM, 0, AT(cookie_same_site), .words = same_site_words },
    { "server.servlet.session.cookie.http-only", NULL, "true", "hides the cookie from scripts",
      UM_CONF_BOOL, 0, AT(cookie_http_only) },
    { "server.servlet.session.cookie.max-age", NULL, "", "life of the cookie; empty: until the browser closes",
      UM_CONF_DURATION_S, 0, AT(cookie_max_age_s), .max = 365 * 86400 },
    { "gui.allowed-origins", NULL, "", "origins (scheme://host[:port]) whose pages may open WebSockets with our cookie, beside our own",
      UM_CONF_LIST, 0, AT(allowed_origins), .max = 64 },
    { "gui.scope", NULL, "main", "scope of a login that names none",
      UM_CONF_STR, 0, AT(scope), .min = 1, .max = 128 },
    { "gui.password.change.enabled", NULL, "true", "the pages offer users of a scope to change their own password",
      UM_CONF_BOOL, 0, AT(offers_password_change) },
};
const struct um_conf_table um_auth_conf_table = UM_CONF_TABLE("Login and session cookie", keys);
