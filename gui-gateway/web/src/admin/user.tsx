// One user: names, mail, teams and whether he signs in are saved together; groups, password and sessions act at once.
import { useEffect, useState } from "preact/hooks";
import { admin } from "../lib/admin";
import { navigate, paths } from "../lib/router";
import { session } from "../lib/session";
import { type Group, groups, teamsOf, type User, users } from "../lib/users";
import { confirmDialog } from "../ui/dialog";
import { setPasswordOf } from "../ui/password";
import { Names } from "./names";
import { act } from "./parts";
import { Line, type Opened, PrincipalPage } from "./principal";

const idsOf = (page: { results: { id: string }[] }) => page.results.map((one) => one.id);

export async function suggestTeams(): Promise<string[]> {
    const state = session.get();
    return state.is === "in" ? teamsOf(state.session.scope) : [];
}

export function Teams<T extends { profiles?: string[] }>({ opened }: { opened: { one: T; set: (change: Partial<T>) => void } }) {
    const teams = opened.one.profiles ?? [];
    const put = (profiles: string[]) => opened.set({ profiles } as Partial<T>);
    return (
        <Names
            label="Teams and roles"
            names={teams}
            suggest={suggestTeams}
            add={(name) => put([...teams, name])}
            remove={(name) => put(teams.filter((team) => team !== name))}
            testId="teams"
        />
    );
}

function Fields({ opened }: { opened: Opened<User> }) {
    const { one, set } = opened;
    return (
        <>
            <div class="pair">
                <Line opened={opened} name="displayName" label="Name that is shown" />
                <Line opened={opened} name="mail" label="Mail" type="email" />
                <Line opened={opened} name="firstname" label="First name" />
                <Line opened={opened} name="lastname" label="Last name" />
            </div>
            <Teams opened={opened} />
            <label class="tick">
                <input type="checkbox" checked={one.enabled !== false} data-testid="user-enabled" onChange={(event) => set({ enabled: event.currentTarget.checked })} />
                May sign in; without this he has neither sessions nor rights
            </label>
            <label class="tick">
                <input type="checkbox" checked={one.credentialsExpired === true} onChange={(event) => set({ credentialsExpired: event.currentTarget.checked })} />
                Has to set another password before the next signing in
            </label>
        </>
    );
}

/** The groups that name him, and those that have these. */
function useGroupsOf(user: User) {
    const [all, setAll] = useState<Group[]>([]);
    const read = async (ids: string[]) => setAll(await groups.several(ids).catch(() => []));
    useEffect(() => void read(user.groups ?? []), [user]);
    const again = async () => read((await users.get(user.id)).groups ?? []);
    return { all, again: () => void again().catch(() => {}) };
}

function Memberships({ user }: { user: User }) {
    const { all, again } = useGroupsOf(user);
    const direct = all.filter((group) => group.members?.includes(user.id));
    const change = (id: string, done: string, members: (now: string[]) => string[]) => act(async () => {
        const group = await groups.get(id);
        await groups.save({ ...group, members: members(group.members ?? []) });
    }, done, "Not changed", again);
    return (
        <Names
            label="Groups; a change here holds at once"
            names={direct.map((group) => group.id)}
            fixed={all.filter((group) => !direct.includes(group)).map((group) => group.id)}
            fixedWhy="By a group that is in it"
            suggest={async (typed) => idsOf(await groups.search(typed, undefined, 20))}
            add={(id) => void change(id, `${user.id} is in ${id} now`, (now) => [...now, user.id])}
            remove={(id) => void change(id, `${user.id} is not in ${id} any more`, (now) => now.filter((member) => member !== user.id))}
            testId="memberships"
        />
    );
}

async function endSessions(id: string): Promise<void> {
    const sure = await confirmDialog({
        title: `End all sessions of ${id}?`, body: <p>He is signed out at once, on all devices.</p>, confirm: "End all", danger: true,
    });
    if (sure)
        await act(() => admin.endAllSessions(id), `The sessions of ${id} are over`, "Not ended", () => {});
}

export async function removePrincipal(kind: "users" | "groups", id: string): Promise<void> {
    const text = kind === "users"
        ? "He is signed out and has no rights any more. What he has written stays; groups and ACLs that name him do too."
        : "Its members stay; ACLs and teams that name it do too.";
    if (!await confirmDialog({ title: `Delete ${id}?`, body: <p>{text}</p>, confirm: "Delete", danger: true }))
        return;
    await act(async () => {
        await (kind === "users" ? users : groups).remove(id);
        await navigate(paths.admin(kind), { force: true });
    }, `${id} is deleted`, "Not deleted", () => {});
}

function Acts({ opened: { saved, reload } }: { opened: Opened<User> }) {
    const { id } = saved;
    const setPassword = async () => {
        if (await setPasswordOf(id))
            reload();
    };
    return (
        <>
            <Memberships user={saved} />
            <h2 class="part-title">Signing in</h2>
            <div class="actions wrap">
                <button type="button" class="button" data-testid="user-password" onClick={() => void setPassword()}>Set a password</button>
                <button type="button" class="button" data-testid="user-unlock" onClick={() => void act(() => admin.unlock(id), `${id} may try again`, "Not unlocked", () => {})}>
                    Unlock
                </button>
                <button type="button" class="button" data-testid="user-end-sessions" onClick={() => void endSessions(id)}>End all sessions</button>
                <button type="button" class="button danger" data-testid="principal-delete" onClick={() => void removePrincipal("users", id)}>Delete</button>
            </div>
        </>
    );
}

export const UserPage = ({ id }: { id: string }) => (
    <PrincipalPage<User> id={id} kind="users" calls={users} fields={(opened) => <Fields opened={opened} />} acts={(opened) => <Acts opened={opened} />} />
);
