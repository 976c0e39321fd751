#include "base/install_layout.hpp"

#include <unistd.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>

namespace boathouse {
namespace {

namespace fs = std::filesystem;

bool is_executable(const fs::path& path) {
    std::error_code ignored;
    return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

bool is_directory(const fs::path& path) {
    std::error_code ignored;
    return fs::is_directory(path, ignored);
}

// The first of `places`, relative to the directory of `self`, that `fits`.
Result<fs::path> find(const char* what, const fs::path& self, std::initializer_list<const char*> places,
                      bool (*fits)(const fs::path&), const char* hint) {
    std::string looked_at;
    for (const char* place : places) {
        const fs::path candidate = (self.parent_path() / place).lexically_normal();
        if (fits(candidate)) return candidate;
        looked_at += (looked_at.empty() ? "" : ", ") + candidate.string();
    }
    return Error{ErrorKind::not_found, std::string(what) + " not found; looked at " + looked_at, hint, ""};
}

}  // namespace

Result<fs::path> own_executable() {
    std::error_code failure;
    std::string path = fs::read_symlink("/proc/self/exe", failure).string();
    if (failure) {
        return Error{ErrorKind::internal, "cannot tell the path of the running executable: " + failure.message(),
                     "Boathouse needs /proc to be mounted.", ""};
    }
    constexpr std::string_view kReplaced = " (deleted)";  // proc(5): the file was unlinked or replaced
    if (path.ends_with(kReplaced)) path.resize(path.size() - kReplaced.size());
    return fs::path(path);
}

Result<fs::path> engine_executable(const fs::path& self) {
    return find("the executable boathouse-engine", self, {"boathouse-engine", "../libexec/boathouse/boathouse-engine"},
                is_executable, "Install Boathouse whole: bin/boathouse needs libexec/boathouse/ beside bin/.");
}

Result<fs::path> engine_executable() {
    const auto self = own_executable();
    return self ? engine_executable(*self) : self;
}

Result<fs::path> extension_directory(const fs::path& self) {
    return find("the directory of DuckDB's extensions", self,
                {"extensions", "../lib/boathouse/extensions", "../../lib/boathouse/extensions"}, is_directory,
                "Install Boathouse whole, or name the directory with --extension-dir.");
}

Result<fs::path> extension_directory() {
    const auto self = own_executable();
    return self ? extension_directory(*self) : self;
}

}  // namespace boathouse
