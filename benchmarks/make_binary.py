"""A C++ program of about 20 MB with debug information: python -m benchmarks.make_binary PATH.

Nine units of templates over types of their own, so that nothing is shared between them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

UNITS = 9
_UNIT = """
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>
namespace unit@ {
struct Key { int a; std::string b; bool operator<(const Key &o) const { return a != o.a ? a < o.a : b < o.b; } };
struct Traits : std::regex_traits<char> {};
template <int N> struct Table {
  std::map<Key, std::vector<std::string>> rows;
  std::unordered_map<std::string, std::shared_ptr<Key>> index;
  int fill(int n) {
    for (int i = 0; i < n; i++) {
      std::ostringstream text;
      text << "key" << i * N;
      auto &row = rows[Key{i, text.str()}];
      row.push_back(text.str());
      index.emplace(text.str(), std::make_shared<Key>(Key{i, "k"}));
      std::sort(row.begin(), row.end(), [](const std::string &a, const std::string &b) { return a.size() < b.size(); });
    }
    return static_cast<int>(rows.size() + index.size());
  }
};
int run(int n) {
  std::basic_regex<char, Traits> pattern("(a|b)*c[0-9]+(x|y)?");
  std::function<int(int)> f = [n](int x) { return x * n; };
  Table<1> a; Table<2> b; Table<3> c; Table<4> d;
  std::vector<Key> keys(static_cast<size_t>(n));
  std::stable_sort(keys.begin(), keys.end());
  return a.fill(n) + b.fill(n) + c.fill(n) + d.fill(n) + f(n) + std::regex_search(std::string("abac12"), pattern);
}
}
"""


def make(target: Path) -> None:
    """Compile and link, two compilers at a time."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for number in range(UNITS):
            (place / f"unit{number}.cc").write_text(_UNIT.replace("@", str(number)))
        calls = " + ".join(f"unit{number}::run(argc)" for number in range(UNITS))
        declarations = "".join(f"namespace unit{number} {{ int run(int); }}\n" for number in range(UNITS))
        (place / "main.cc").write_text(f"{declarations}int main(int argc, char **) {{ return {calls}; }}\n")

        def compiled(source: Path) -> str:
            subprocess.run(["g++", "-std=c++17", "-O2", "-g", "-c", source.name], cwd=place, check=True)
            return str(source.with_suffix(".o"))

        with ThreadPoolExecutor(2) as pool:
            objects = list(pool.map(compiled, sorted(place.glob("*.cc"))))
        subprocess.run(["g++", *objects, "-o", str(target)], check=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
