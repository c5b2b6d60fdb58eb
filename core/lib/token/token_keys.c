/* Configuration rows of tokens. */
#include <umbel/conf.h>
#include <umbel/token.h>

#define AT(f) .at = offsetof(struct um_token_conf, f)
static const struct um_conf_key keys[] = {
    { "token.key", NULL, "", "key that signs the tokens between gateway and core, at least 32 bytes, the same on every node; "
      "empty: random at each start, which only a process that stands alone can use",
      UM_CONF_STR, UM_CONF_SECRET, AT(key), .max = 4096 },
    { "token.key.previous", NULL, "", "the key before a rotation: verifies, never signs",
      UM_CONF_STR, UM_CONF_SECRET, AT(key_previous), .max = 4096 },
    { "token.expiration.time", NULL, "3600", "life of a token given to an API client, in seconds",
      UM_CONF_DURATION_S, 0, AT(expiration_s), .min = 60, .max = 30 * 86400 },
};
const struct um_conf_table um_token_conf_table = UM_CONF_TABLE("Tokens", keys);
