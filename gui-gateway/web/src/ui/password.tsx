// Dialogs that ask for a new password, twice: for oneself with the present one, for somebody else by who guards users.
import { ApiError } from "../lib/api";
import { patch, Store, useStore } from "../lib/store";
import { PASSWORD_LEAST, users } from "../lib/users";
import { askDialog } from "./dialog";
import { Icon } from "./icons";
import { notify } from "./toast";

const nothing = { old: "", first: "", again: "", expires: false, fault: "" };
type Asked = Store<typeof nothing>;

/** "": nothing. */
export function passwordFault(first: string, again: string): string {
    if (new TextEncoder().encode(first).length < PASSWORD_LEAST)
        return `A password has at least ${PASSWORD_LEAST} characters.`;
    return first === again ? "" : "The two new passwords are not the same.";
}

export function Fault({ text }: { text: string }) {
    return <p class="problem" role="alert" data-testid="dialog-fault">{text && <><Icon name="warn" /> {text}</>}</p>;
}

function Fields({ asked, own }: { asked: Asked; own: boolean }) {
    const values = useStore(asked);
    const field = (label: string, name: "old" | "first" | "again", complete: string) => (
        <label class="field">
            <span>{label}</span>
            <input
                type="password"
                value={values[name]}
                maxLength={1024}
                autocomplete={complete}
                data-testid={`password-${name}`}
                onInput={(event) => patch(asked, { [name]: event.currentTarget.value })}
            />
        </label>
    );
    return (
        <>
            {own && field("Present password", "old", "current-password")}
            {field("New password", "first", "new-password")}
            {field("The new one again", "again", "new-password")}
            {!own && (
                <label class="tick">
                    <input type="checkbox" checked={values.expires} onChange={(event) => patch(asked, { expires: event.currentTarget.checked })} />
                    Has to be changed at the next signing in
                </label>
            )}
            <Fault text={values.fault} />
        </>
    );
}

async function ask(title: string, own: boolean, set: (asked: typeof nothing) => Promise<unknown>): Promise<boolean> {
    const asked: Asked = new Store(nothing);
    const accept = async () => {
        const now = asked.get();
        let fault = own && !now.old ? "The present password is needed." : passwordFault(now.first, now.again);
        if (!fault)
            await set(now).catch((error: unknown) => {
                fault = error instanceof ApiError ? `Not changed: ${error.message}.` : "Not changed.";
            });
        patch(asked, { fault });
        return !fault;
    };
    return askDialog({ title, confirm: own ? "Change password" : "Set password", body: <Fields asked={asked} own={own} />, accept });
}

export async function changeOwnPassword(user: string): Promise<void> {
    if (await ask("Change your password", true, (asked) => users.changeOwnPassword(user, asked.old, asked.first)))
        notify("Your password is changed");
}

export async function setPasswordOf(user: string): Promise<boolean> {
    const done = await ask(`Set a password for ${user}`, false, (asked) => users.setPassword(user, asked.first, asked.expires));
    if (done)
        notify(`${user} has another password, and is signed out everywhere`);
    return done;
}
