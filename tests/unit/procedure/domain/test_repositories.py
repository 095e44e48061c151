"""Checks of places in git: nothing else reaches a command line or a path."""

import pytest

from ska_oso_oet.model import DEFAULT_REPOSITORY, GitArgs
from ska_oso_oet.procedure.domain import GitScript, ScriptError, ScriptNotAllowedError
from ska_oso_oet.procedure.domain.repositories import Repositories, check_place

URL = "https://gitlab.example.org/group/project.git"
EVERYTHING = Repositories.of(["*"])


def script(uri: str = "git:///scripts/observe.py", **args: str | None) -> GitScript:
    return GitScript(uri, GitArgs(**{"git_repo": URL, **args}))


@pytest.mark.parametrize(
    "url",
    [
        URL,
        DEFAULT_REPOSITORY,
        "https://gitlab.example.org:8443/a/b",
        "ssh://git@gitlab.example.org:2222/a/b.git",
        "ssh://git@[::1]/a.git",
        "git://gitlab.example.org/a",
        "http://gitrepo.git/a",
        "http://foo.git",
        "https://gitlab.example.org:8443",
        "https://gitlab.example.org/",
        "git://observing.example.org",
        "/srv/git/project.git",
        "/srv/my git/project",
        "file:///srv/git/a%20b.git",
    ],
)
def test_usual_repository_urls_are_accepted(url: str) -> None:
    EVERYTHING.admit(script(git_repo=url))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "--upload-pack=touch /tmp/owned",
        "-https://gitlab.example.org/a",
        "ext::sh -c touch% /tmp/owned",
        "ext::https://gitlab.example.org/a",
        "fd::17/a",
        "ftp://gitlab.example.org/a",
        "git@gitlab.example.org:group/project.git",
        "./project.git",
        "../project.git",
        "project.git",
        "~/project.git",
        "/srv/git/../secret.git",
        "/srv/./git",
        "/srv/git\n",
        "/srv/git\0",
        "/" + "a" * 2000,
        "http://..",
        "http://-oProxyCommand=touch",
        "http://token@foo.git",
        "git://user:secret@foo.git",
        "file://",
        "file:///",
        "file://srv",
        "/",
        "ssh://",
        "ssh://-oProxyCommand=touch/a",
        "ssh://-l@gitlab.example.org/a",
        "https:///group/project",
        "https://token@gitlab.example.org/a",
        "https://user:secret@gitlab.example.org/a",
        "ssh://user:secret@gitlab.example.org/a",
        "https://gitlab.example.org/group/../other/project",
        "https://gitlab.example.org/group/%2e%2e/other/project",
        "https://gitlab.example.org/group%2F..%2Fother",
        "https://gitlab.example.org/a?service=x",
        "https://gitlab.example.org/a#x",
        "https://gitlab.example.org\\@evil.org/a",
        "https://gitlab.example.org/a b",
        "https://gitlab.example.org/a\n",
        "https://gitlab.example.org/a\0",
        "https://gitlab.example.org/" + "a" * 2000,
    ],
)
def test_other_repository_urls_are_refused(url: str) -> None:
    with pytest.raises(ScriptError, match=r"repository URL"):
        EVERYTHING.admit(script(git_repo=url))


@pytest.mark.parametrize(
    "url",
    [
        "https://s3cret@gitlab.example.org/a",
        "https://user:s3cret@gitlab.example.org/a",
        "https://user:s3cret%40@gitlab.example.org/a?b=c",
        "https://user:s3cret@more@gitlab.example.org/a",
        "user:s3cret@gitlab.example.org:group/project.git",
        "https://gitlab.example.org/a?private_token=s3cret",
        "https://gitlab.example.org/a#s3cret",
    ],
)
def test_a_secret_in_a_url_is_told_to_nobody(url: str) -> None:
    with pytest.raises(ScriptError, match=r"repository URL") as caught:
        EVERYTHING.admit(script(git_repo=url))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["master", "feature/x-1", "v1.2.3", "release_2", "a@b", "1e5", "x" * 200, "größe"],
)
def test_usual_names_of_branches_and_tags_are_accepted(name: str) -> None:
    EVERYTHING.admit(script(git_branch=name))
    EVERYTHING.admit(script(git_commit=name))


@pytest.mark.parametrize("commit", ["abcd", "ABCDEF12", "0" * 40])
def test_short_and_full_hashes_are_accepted(commit: str) -> None:
    EVERYTHING.admit(script(git_commit=commit))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "--upload-pack=touch /tmp/owned",
        "--upload-pack=x",
        "-b",
        "../../..",
        "..",
        ".",
        "a/../b",
        "a..b",
        "/etc/passwd",
        "a/",
        "a//b",
        ".hidden",
        "a/.hidden",
        "a.lock",
        "a.lock/b",
        "a.",
        "@",
        "a@{1}",
        "a~1",
        "a^",
        "a:b",
        "a b",
        "a\tb",
        "a\n",
        "a\0b",
        "a\x7f",
        "a?",
        "a*",
        "a[b",
        "a\\b",
        "x" * 2000,
    ],
)
def test_other_names_of_branches_and_commits_are_refused(name: str) -> None:
    for place in ({"git_branch": name}, {"git_commit": name}):
        with pytest.raises(ScriptError, match=r"cannot be the name"):
            EVERYTHING.admit(script(**place))


@pytest.mark.parametrize(
    "uri",
    [
        "git:///../../etc/passwd",
        "git:///scripts/%2e%2e/%2e%2e/x.py",
        "git:////",
        "git:///a\nb.py",
        "git://..",
    ],
)
def test_paths_that_lead_out_of_the_repository_are_refused(uri: str) -> None:
    with pytest.raises(ScriptError, match="within a repository"):
        EVERYTHING.admit(script(uri))


@pytest.mark.parametrize("uri", ["git:///scripts/observe.py", "git://test3.py", "git:///a%20b.py"])
def test_paths_within_the_repository_are_accepted(uri: str) -> None:
    check_place(script(uri))


@pytest.mark.parametrize(
    "pattern",
    [URL, "*", "https://gitlab.example.org/group/*", "https://*.example.org/*", "*://gitlab.example.org/*"],
)
def test_a_repository_is_allowed_by_its_pattern(pattern: str) -> None:
    Repositories.of(["https://other.org/*", pattern]).admit(script())


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("https://gitlab.example.org/group/*", "https://gitlab.example.org/other/project.git"),
        ("https://gitlab.example.org/*", "http://gitlab.example.org/group/project.git"),
        ("https://gitlab.example.org/*", "https://gitlab.example.org.evil.org/group/project.git"),
        ("https://gitlab.example.org/*", "https://gitlab.example.org:8443/group/project.git"),
        # A host that only the path names is not the host.
        ("https://*.example.org/*", "https://evil.org/x.example.org/project.git"),
        ("https://gitlab.example.org/*", "https://GITLAB.example.org/group/project.git"),
    ],
)
def test_a_repository_without_a_pattern_is_refused(pattern: str, url: str) -> None:
    with pytest.raises(ScriptNotAllowedError, match="GitRepositories"):
        Repositories.of([pattern]).admit(script(git_repo=url))


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("/srv/git/*", "/srv/git/project.git"),
        ("/srv/git/*", "file:///srv/git/project.git"),
        ("file:///srv/git/*", "/srv/git/project.git"),
        ("/srv/my git/*", "/srv/my git/project.git"),
        ("http://foo.git", "http://foo.git"),
        ("http://foo.git/", "http://foo.git"),
        ("http://foo.git/*", "http://foo.git/"),
    ],
)
def test_patterns_of_local_paths_and_of_hosts_alone(pattern: str, url: str) -> None:
    Repositories.of([pattern]).admit(script(git_repo=url))


@pytest.mark.parametrize(
    ("pattern", "url"),
    [
        ("/srv/git/*", "/srv/other/project.git"),
        ("/srv/git/*", "https://srv/git/project.git"),
        ("http://foo.git", "http://foo.git/other"),
    ],
)
def test_patterns_of_local_paths_and_of_hosts_alone_allow_nothing_else(pattern: str, url: str) -> None:
    with pytest.raises(ScriptNotAllowedError, match="GitRepositories"):
        Repositories.of([pattern]).admit(script(git_repo=url))


def test_without_patterns_no_repository_is_allowed() -> None:
    with pytest.raises(ScriptNotAllowedError, match="none is configured"):
        Repositories().admit(script())


@pytest.mark.parametrize("pattern", ["", "gitlab.example.org/*", "https://*", "https://*.example.org", "**"])
def test_what_can_be_no_pattern_is_refused_where_it_is_configured(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        Repositories.of([pattern])
