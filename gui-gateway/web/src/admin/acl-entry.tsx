// One entry of an ACL: allow or deny, whom, what; its place among the others.
import { useState } from "preact/hooks";
import { EVERY, PERMISSIONS, permissionsOf, type Entry } from "../lib/acls";
import { IconButton } from "../ui/button";
import { Icon } from "../ui/icons";

export interface Draft { key: number; entry: Entry } /* KEY: the row, wherever it moves */

interface Props {
    draft: Draft;
    place: number;
    last: boolean;
    idle: boolean; /* entries before it have answered */
    set: (entry: Entry) => void;
    move: (by: 1 | -1) => void;
    remove: () => void;
}

const words = (permissions: string[]) => permissions.includes(EVERY)
    ? "every permission"
    : permissions.length === 0 ? "nothing chosen" : permissions.map((p) => p.toLowerCase().replaceAll("_", " ")).join(", ");

function Permissions({ id, entry, set, place }: { id: string; entry: Entry; set: (entry: Entry) => void; place: number }) {
    const [open, setOpen] = useState(false);
    const chosen = permissionsOf(entry);
    const toggle = (word: string, on: boolean) => {
        const next = on ? [...chosen.filter((p) => p !== EVERY), word] : chosen.filter((p) => p !== word);
        set({ ...entry, permission: word === EVERY && on ? EVERY : next });
    };
    const box = (word: string, text: string, disabled: boolean) => (
        <label key={word} class="permission">
            <input
                type="checkbox"
                checked={chosen.includes(word)}
                disabled={disabled}
                data-permission={word}
                onChange={(event) => toggle(word, event.currentTarget.checked)}
            />
            {text}
        </label>
    );
    return (
        <>
            <button
                type="button"
                class="permissions-open"
                aria-expanded={open}
                aria-controls={id}
                title="Choose permissions"
                data-testid="acl-permissions"
                onClick={() => setOpen(!open)}
            >
                <Icon name={open ? "shut" : "open"} /><span>{words(chosen)}</span>
            </button>
            <fieldset id={id} class="permissions" hidden={!open}>
                <legend class="visually-hidden">Permissions of entry {place + 1}</legend>
                {box(EVERY, "every permission", false)}
                {PERMISSIONS.map((word) => box(word, word.toLowerCase().replaceAll("_", " "), chosen.includes(EVERY)))}
            </fieldset>
        </>
    );
}

export function EntryRow({ draft: { entry, key }, place, last, idle, set, move, remove }: Props) {
    return (
        <li class={`entry ${entry.grant === "ALLOW" ? "allow" : "deny"}`} data-testid="acl-entry" data-row={key} data-grant={entry.grant}>
            <span class="entry-place" aria-hidden="true">{place + 1}</span>
            <select
                class="choice grant"
                aria-label={`Entry ${place + 1}: allow or deny`}
                value={entry.grant}
                data-testid="acl-grant"
                onChange={(event) => set({ ...entry, grant: event.currentTarget.value as Entry["grant"] })}
            >
                <option value="ALLOW">Allow</option>
                <option value="DENY">Deny</option>
            </select>
            <input
                class="choice principal"
                aria-label={`Entry ${place + 1}: user, group or team; * for everybody`}
                placeholder="user, group, team or *"
                value={entry.principal}
                maxLength={200}
                autocapitalize="off"
                autocomplete="off"
                spellcheck={false}
                data-testid="acl-principal"
                onInput={(event) => set({ ...entry, principal: event.currentTarget.value })}
            />
            <Permissions id={`permissions-${key}`} entry={entry} set={set} place={place} />
            <span class="entry-tools">
                <IconButton icon="up" label={`Move entry ${place + 1} up`} data-act="up" data-testid="acl-up" aria-disabled={place === 0} onClick={() => place > 0 && move(-1)} />
                <IconButton icon="down" label={`Move entry ${place + 1} down`} data-act="down" data-testid="acl-down" aria-disabled={last} onClick={() => !last && move(1)} />
                <IconButton icon="trash" label={`Remove entry ${place + 1}`} data-testid="acl-remove" onClick={remove} />
            </span>
            {idle && <p class="entry-idle" data-testid="acl-idle">Never decides: the entries above have answered already.</p>}
        </li>
    );
}
