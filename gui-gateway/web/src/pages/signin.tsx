// Sign in. While the service is away the attempt goes on by itself; after too many wrong ones it counts down.
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, serviceAway } from "../lib/api";
import { signIn } from "../lib/session";
import { useStore } from "../lib/store";
import { ThemeToggle } from "../ui/header";
import { Icon } from "../ui/icons";
import { Mark, Umbel } from "../ui/umbel";

const DEFAULT_WAIT_MS = 5_000;

function messageFor(error: unknown): string {
    if (!(error instanceof ApiError))
        return "Something went wrong. Please try again.";
    if (error.status === 401)
        return "That user name and password do not go together.";
    if (error.status === 429)
        return "Too many attempts.";
    return error.message;
}

/** Seconds until MOMENT, ticking. */
function useCountdown(until: number): number {
    const [now, setNow] = useState(Date.now());
    useEffect(() => {
        setNow(Date.now());
        const timer = setInterval(() => {
            setNow(Date.now());
            if (Date.now() >= until)
                clearInterval(timer);
        }, 250);
        return () => clearInterval(timer);
    }, [until]);
    return Math.max(0, Math.ceil((until - now) / 1000));
}

function SignInForm() {
    const [busy, setBusy] = useState(false);
    const [problem, setProblem] = useState("");
    const [notBefore, setNotBefore] = useState(0);
    const away = useStore(serviceAway);
    const wait = useCountdown(notBefore);
    const userField = useRef<HTMLInputElement>(null);
    const passwordField = useRef<HTMLInputElement>(null);
    const attempt = useRef<AbortController | null>(null);

    useEffect(() => {
        document.title = "Sign in – Umbel";
        userField.current?.focus();
        return () => attempt.current?.abort();
    }, []);

    const submit = async (event: Event) => {
        event.preventDefault();
        const user = userField.current!.value.trim();
        const password = passwordField.current!.value;
        if (!user || !password) {
            setProblem("Please enter both user name and password.");
            (user ? passwordField : userField).current!.focus();
            return;
        }
        const control = new AbortController();
        attempt.current = control;
        setBusy(true);
        setProblem("");
        try {
            await signIn(user, password, control.signal);
        } catch (error) {
            if (control.signal.aborted)
                return;
            if (error instanceof ApiError && error.status === 429)
                setNotBefore(Date.now() + (error.retryAfterMs || DEFAULT_WAIT_MS));
            setProblem(messageFor(error));
            setBusy(false);
            passwordField.current?.select();
            passwordField.current?.focus();
        }
    };

    const label = wait > 0 ? `Try again in ${wait} s` : busy ? (away ? "Reconnecting…" : "Signing in…") : "Sign in";
    return (
        <form class="signin-form" onSubmit={(event) => void submit(event)} aria-busy={busy} noValidate>
            <label class="field">
                <span>User name</span>
                <input ref={userField} name="username" autocomplete="username" autocapitalize="none" spellcheck={false}
                       readOnly={busy} data-testid="login-user" aria-describedby="signin-problem" />
            </label>
            <label class="field">
                <span>Password</span>
                <input ref={passwordField} name="password" type="password" autocomplete="current-password"
                       readOnly={busy} data-testid="login-password" aria-describedby="signin-problem" />
            </label>
            <p id="signin-problem" class="problem" role="alert" data-testid="login-error">
                {problem && <><Icon name="warn" /> {problem}</>}
            </p>
            <button type="submit" class="button primary large" data-testid="login-submit" disabled={busy || wait > 0}>
                {label}
            </button>
        </form>
    );
}

export function SignInPage({ expired }: { expired: boolean }) {
    return (
        <div class="signin">
            <aside class="signin-art">
                <p class="wordmark"><Mark /> Umbel</p>
                <Umbel />
                <p class="signin-motto">Many hands,<br />one document.</p>
            </aside>
            <main id="content" class="signin-main" tabIndex={-1}>
                <div class="signin-theme"><ThemeToggle /></div>
                <div class="signin-card">
                    <h1>Sign in</h1>
                    <p class="signin-lead">
                        {expired ? "Your session has ended. Sign in to go on where you were." : "Write together, saved as you type."}
                    </p>
                    <SignInForm />
                </div>
            </main>
        </div>
    );
}
