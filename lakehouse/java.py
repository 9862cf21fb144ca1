"""The JVM that Python asks, with answers that cannot change remembered.

Each ``jvm.functions.col`` is two questions: what the name is, for which the JVM searches every jar, and whether the class has
such a method, for which it lists all of them. A day asks thousands of them.
"""

from typing import Any

from py4j.java_gateway import JavaClass, JavaMember, JavaPackage, JVMView


def remember(jvm: Any) -> None:
    """Let ``jvm``, a view of py4j's, remember the classes that it finds, and those their methods."""
    if isinstance(jvm, JVMView):
        jvm.__class__ = _View


class _Remembering:
    """Keeps what it found in its own attributes, where Python looks first."""

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)  # type: ignore[misc]
        if type(found) is JavaClass:
            found.__class__ = _Class
        elif type(found) is JavaPackage:
            found.__class__ = _Package
        elif not isinstance(found, JavaMember):
            return found  # a static field's value, which may change
        vars(self)[name] = found
        return found


class _View(_Remembering, JVMView):  # type: ignore[misc]
    pass


class _Package(_Remembering, JavaPackage):  # type: ignore[misc]
    pass


class _Class(_Remembering, JavaClass):  # type: ignore[misc]
    pass
