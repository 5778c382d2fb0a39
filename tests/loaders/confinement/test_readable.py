import sys
import zipfile
from pathlib import Path

from penstock.loaders.confinement.readable import SYSTEM, reach


def test_a_folder_of_distributions_is_open_and_one_of_a_program_is_not(tmp_path: Path) -> None:
    site, project = tmp_path / "site", tmp_path / "project"
    (site / "parser-1.0.dist-info").mkdir(parents=True)
    (project / "package").mkdir(parents=True)
    (project / "package" / "__init__.py").write_text("")
    (project / "tool.py").write_text("")
    (project / ".env").write_text("KEY=secret")
    (project / "documents").mkdir()
    archive = tmp_path / "library.zip"
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("a.py", "")
    missing = tmp_path / "missing"
    found = reach(map(str, (site, project, archive, missing)), libraries=("/opt/lib",), home=tmp_path / "home")
    ours = {path for path in found.readable if path.startswith(str(tmp_path))}
    assert ours == set(map(str, (site, archive, project / "package", project / "tool.py")))
    assert set(found.listable) == {str(project), str(missing)}
    assert {*SYSTEM, "/opt/lib", f"{sys.prefix}/lib"} <= set(found.readable)


def test_what_holds_the_home_is_never_open_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "user" / ".ssh").mkdir(parents=True)
    (tmp_path / "parser-1.0.dist-info").mkdir()
    (tmp_path / "user" / "parser-1.0.dist-info").mkdir()
    entries = (str(tmp_path), str(tmp_path / "user"), "/")
    found = reach(entries, libraries=(), home=tmp_path / "user")
    assert found.listable == entries
    assert not set(entries) & set(found.readable)
