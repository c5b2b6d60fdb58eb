// A list of users and groups, found by their names; a dialog that makes one. The pages of users and of groups are made of it.
import { useState } from "preact/hooks";
import { ApiError } from "../lib/api";
import { several } from "../lib/figures";
import { navigate, paths } from "../lib/router";
import { patch, Store, useStore } from "../lib/store";
import { type Brief, groups, ID_MOST, type Page, PASSWORD_LEAST, users } from "../lib/users";
import { askDialog } from "../ui/dialog";
import { Icon } from "../ui/icons";
import { Link } from "../ui/link";
import { Fault } from "../ui/password";
import { Answer, Filter, Head } from "./parts";
import { type Column, DataTable } from "./table";
import { usePolled } from "./use-polled";

const nobody = { id: "", displayName: "", password: "", fault: "" };
type Draft = Store<typeof nobody>;

const KINDS = {
    users: {
        title: "Users", one: "user", help: "Who signs in to this scope. Accounts of the configuration are not among them.",
        search: users.search, create: ({ id, displayName, password }: typeof nobody) =>
            users.create({ id, ...(displayName && { displayName }), ...(password && { password }) }),
    },
    groups: {
        title: "Groups", one: "group", help: "Users and groups that are together. ACLs and teams name a group as they name a user.",
        search: groups.search, create: ({ id, displayName }: typeof nobody) => groups.create({ id, ...(displayName && { displayName }) }),
    },
};
type Kind = keyof typeof KINDS;

function Fields({ draft, kind }: { draft: Draft; kind: Kind }) {
    const values = useStore(draft);
    const field = (label: string, name: "id" | "displayName" | "password", type: string) => (
        <label class="field">
            <span>{label}</span>
            <input
                type={type}
                value={values[name]}
                maxLength={name === "id" ? ID_MOST : 500}
                autocomplete={type === "password" ? "new-password" : "off"}
                autocapitalize="off"
                spellcheck={false}
                data-testid={`new-${name}`}
                onInput={(event) => patch(draft, { [name]: event.currentTarget.value })}
            />
        </label>
    );
    return (
        <>
            {field(kind === "users" ? "Name to sign in with" : "Id", "id", "text")}
            {field("Name that is shown", "displayName", "text")}
            {kind === "users" && field(`Password, ${PASSWORD_LEAST} characters at least; none: nobody signs in yet`, "password", "password")}
            <Fault text={values.fault} />
        </>
    );
}

async function create(kind: Kind): Promise<void> {
    const draft: Draft = new Store(nobody);
    const accept = async () => {
        const { id, displayName, password } = draft.get();
        let fault = id.trim() ? "" : "It needs a name.";
        if (!fault)
            await KINDS[kind].create({ id: id.trim(), displayName: displayName.trim(), password, fault }).catch((error: unknown) => {
                fault = error instanceof ApiError ? `Not created: ${error.message}.` : "Not created.";
            });
        patch(draft, { fault });
        return !fault;
    };
    const made = await askDialog({ title: `A new ${KINDS[kind].one}`, confirm: "Create", body: <Fields draft={draft} kind={kind} />, accept });
    if (made)
        await navigate(paths.admin(kind, draft.get().id.trim()));
}

const columnsOf = (kind: Kind): Column<Brief>[] => [
    { head: KINDS[kind].title, kind: "main", cell: (r) => <Link href={paths.admin(kind, r.id)} data-testid={`${KINDS[kind].one}-open`}>{r.displayName || r.id}</Link> },
    { head: "Id", cell: (r) => <span class="mono">{r.id}</span> },
    ...(kind === "users" ? [{ head: "Signs in", cell: (r: Brief) => (r.enabled === false ? "no, disabled" : "yes") }] : []),
];

function Principals({ kind }: { kind: Kind }) {
    const [name, setName] = useState("");
    const { title, one, help, search } = KINDS[kind];
    const page = usePolled<Page>(`${kind} ${name}`, (signal) => search(name, signal));
    const found = page.data ? several(page.data.results.length, one) : "";
    return (
        <>
            <Head title={title} count={page.data?.next ? `the first ${found}` : found}>
                <button type="button" class="button primary" data-testid={`${one}-new`} onClick={() => void create(kind)}><Icon name="plus" /> New {one}</button>
            </Head>
            <p class="hint">{help}</p>
            <Filter label="How a name begins" told={setName} />
            <Answer
                of={page}
                none={({ results }) => (results.length > 0 ? "" : name ? `No ${one} is called like that.` : `This scope has no ${title.toLowerCase()} yet.`)}
                show={({ results }) => <DataTable caption={title} columns={columnsOf(kind)} rows={results} keyOf={(r) => r.id} testId={kind} />}
            />
        </>
    );
}

export const Users = () => <Principals kind="users" />;
export const Groups = () => <Principals kind="groups" />;
