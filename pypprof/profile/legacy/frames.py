"""Which frames of a legacy profile belong to the measuring, not to the program.

A profile.proto says so itself (drop_frames, keep_frames); for the older formats pprof does. The
patterns are part of what `-proto` writes, so they are pprof's to the letter.
"""

from __future__ import annotations

from pypprof.profile.model import Profile

_HEAP_TYPES = (
    ("allocations", "size"), ("objects", "space"), ("inuse_objects", "inuse_space"), ("alloc_objects", "alloc_space"),
    ("alloc_objects", "alloc_space", "inuse_objects", "inuse_space"),
)  # fmt: skip


def _each(template: str, words: str) -> list[str]:
    return [template.replace("@", word) for word in words.split()]


_ALLOCATION = [
    *_each("@", "calloc cfree malloc free memalign do_memalign (__)?posix_memalign pvalloc valloc realloc"),
    "tcmalloc::.*",
    *_each("tc_@", "calloc cfree malloc free memalign posix_memalign pvalloc valloc realloc new delete"),
    *_each("tc_@", "newarray deletearray new_nothrow newarray_nothrow"),
    *_each("malloc_zone_@", "malloc calloc valloc realloc memalign free"),
    r"runtime\..*",
    "BaseArena::.*",
    *_each("(::)?do_@", "malloc_no_errno malloc_pages malloc"),
    *_each("@", "DoSampledAllocation MallocedMemBlock::MallocedMemBlock _M_allocate"),
    *_each("__builtin_(vec_)?@", "delete new"),
    *_each("@", "__gnu_cxx::new_allocator::allocate __libc_malloc __malloc_alloc_template::allocate"),
    *_each("@", "allocate cpp_alloc"),
    r"operator new(\[\])?",
    "simple_alloc::allocate",
]
_KEPT_OF_RUNTIME = _each(r"runtime\.@", "panic reflectcall call[0-9]*")
_SIGNAL_HANDLER = [
    *_each("@", "ProfileData::Add ProfileData::prof_handler CpuProfiler::prof_handler"),
    *_each("__@", "pthread_sighandler restore"),
]
_MUTEX = [("Mutex::", "AwaitCommon Unlock UnlockSlow ReaderUnlock"), ("MutexLock::", "~MutexLock")]
_LOCKS = [
    "RecordLockProfileData",
    *_each("(base::)?@ProfileData.*", "RecordLock SubmitMutex SubmitSpinLock"),
    *[pattern for scope, words in _MUTEX for pattern in _each(f"(base::{scope})?@.*", words)],
    *[pattern for scope, words in _MUTEX for pattern in _each(f"({scope})?@.*", words)],
    *_each("(SpinLock::)?@.*", "Unlock SlowUnlock"),
    "(SpinLockHolder::)?~SpinLockHolder.*",
]


def with_drop_frames(profile: Profile) -> Profile:
    """The profile with the patterns for its kind, told by its sample types."""
    types = tuple(type_.type for type_ in profile.sample_types)
    if types in _HEAP_TYPES:
        drop, keep = _ALLOCATION, _KEPT_OF_RUNTIME
    else:
        drop, keep = (_LOCKS if types == ("contentions", "delay") else _SIGNAL_HANDLER), []
    return profile._replace(drop_frames="|".join(drop), keep_frames="|".join(keep))
