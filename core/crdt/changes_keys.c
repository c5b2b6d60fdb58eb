/* Keys that a transaction changed: what was there before it, and what is there now. */
#include "changes.h"

struct key_change {
    const char *action;               /* NULL: as it was, or it came and went */
    uint32_t before, now;             /* items; NONE */
};

static struct key_change key_change_of(const struct tx_changes *ch, uint32_t tail)
{
    const struct item *it = item_at(ch->doc, tail);
    uint32_t before = tail, now = item_is_deleted(it) ? NONE : tail;
    bool replaced;

    while (before != NONE && was_added(ch, item_at(ch->doc, before)))
        before = item_at(ch->doc, before)->left;
    if (before == tail)
        return (struct key_change){ was_deleted(ch, it) ? "delete" : NULL, tail, NONE };
    replaced = before != NONE && was_deleted(ch, item_at(ch->doc, before));
    if (now == NONE)
        return (struct key_change){ replaced ? "delete" : NULL, before, NONE };
    return replaced ? (struct key_change){ "update", before, now } : (struct key_change){ "add", NONE, now };
}

static void value_emit(struct reader *r, const char *label, uint32_t item)
{
    if (item == NONE)
        return;
    emit_text(r, label);
    entry_value(r, item, item_at(r->doc, item)->len - 1, false, false);
    reader_run(r);
}

void keys_emit(struct reader *r, const struct tx_changes *ch, const struct change *c)
{
    bool begun = false;

    emit_text(r, "{");
    for (uint32_t i = c->first; i < c->first + c->n && r->err == UM_OK; i++) {
        uint32_t s = ch->notes.v[i].slot;
        struct key_change k = { 0 };

        if (s != NONE)
            k = key_change_of(ch, ch->doc->slots.v[s].tail);
        if (k.action == NULL)
            continue;
        emit_text(r, begun ? "," : "");
        emit_json_string(r, name_text(ch->doc, ch->doc->slots.v[s].key));
        emit_text(r, ":{\"action\":\"");
        emit_text(r, k.action);
        emit_text(r, "\"");
        value_emit(r, ",\"oldValue\":", k.before);
        value_emit(r, ",\"newValue\":", k.now);
        emit_text(r, "}");
        begun = true;
    }
    emit_text(r, "}");
}
