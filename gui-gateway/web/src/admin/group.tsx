// One group: its names, its members (users and groups) and the teams that they are in by it.
import { type Group, groups, users } from "../lib/users";
import { Names } from "./names";
import { Line, type Opened, PrincipalPage } from "./principal";
import { removePrincipal, Teams } from "./user";

async function suggestMembers(typed: string): Promise<string[]> {
    const found = await Promise.all([users, groups].map((kind) => kind.search(typed, undefined, 20)));
    return found.flatMap((page) => page.results.map((one) => one.id));
}

function Fields({ opened }: { opened: Opened<Group> }) {
    const { one, set } = opened;
    const members = one.members ?? [], inside = (one.groups ?? []).filter((id) => id !== one.id);
    return (
        <>
            <div class="pair">
                <Line opened={opened} name="displayName" label="Name that is shown" />
                <Line opened={opened} name="mail" label="Mail" type="email" />
            </div>
            <Names
                label="Members: users and groups"
                names={members}
                suggest={suggestMembers}
                add={(name) => set({ members: [...members, name] })}
                remove={(name) => set({ members: members.filter((member) => member !== name) })}
                testId="members"
            />
            <Teams opened={opened} />
            {inside.length > 0 && <p class="hint">Is itself in: {inside.join(", ")}</p>}
        </>
    );
}

const Acts = ({ id }: { id: string }) => (
    <>
        <h2 class="part-title">Not needed any more</h2>
        <button type="button" class="button danger" data-testid="principal-delete" onClick={() => void removePrincipal("groups", id)}>Delete</button>
    </>
);

export const GroupPage = ({ id }: { id: string }) => (
    <PrincipalPage<Group> id={id} kind="groups" calls={groups} fields={(opened) => <Fields opened={opened} />} acts={() => <Acts id={id} />} />
);
