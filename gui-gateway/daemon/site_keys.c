/* Configuration rows of what every answer carries. */
#include "site.h"

#define AT(f) .at = offsetof(struct um_site_conf, f)
static const struct um_conf_key keys[] = {
    { "gui.content.security.policy", "content.security.policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
      "manifest-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
      "Content-Security-Policy of the web app", UM_CONF_STR, 0, AT(csp), .max = 4096 },
    { "gui.hsts.max.age", "hsts.max.age", "10m", "Strict-Transport-Security: how long browsers insist on TLS once they had it; 0: not sent",
      UM_CONF_DURATION_S, 0, AT(hsts_max_age_s), .max = 2 * 365 * 86400 },
    { "gui.referrer.policy", "referrer.policy", "no-referrer", "Referrer-Policy of every answer",
      UM_CONF_STR, 0, AT(referrer_policy), .max = 256 },
    { "gui.permissions.policy", "permissions.policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
      "Permissions-Policy of the web app", UM_CONF_STR, 0, AT(permissions_policy), .max = 1024 },
    { "gui.cross.origin.opener.policy", "cross.origin.opener.policy", "same-origin", "Cross-Origin-Opener-Policy of the web app",
      UM_CONF_STR, 0, AT(opener_policy), .max = 64 },
    { "gui.cross.origin.resource.policy", "cross.origin.resource.policy", "same-origin", "Cross-Origin-Resource-Policy of the web app",
      UM_CONF_STR, 0, AT(resource_policy), .max = 64 },
    { "spring.servlet.multipart.max-request-size", "spring.servlet.multipart.max-file-size", "512MB",
      "body of a request that goes on to a core; beyond it 413",
      UM_CONF_SIZE, 0, AT(max_upload_bytes), .min = 1024, .max = INT64_C(1) << 40 },
};
const struct um_conf_table um_site_conf_table = UM_CONF_TABLE("Answers", keys);
