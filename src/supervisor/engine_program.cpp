#include "supervisor/engine_program.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <vector>

#include "base/file.hpp"
#include "base/install_layout.hpp"
#include "base/log.hpp"
#include "supervisor/child.hpp"

namespace boathouse::supervisor {
namespace {

namespace fs = std::filesystem;

// The shared libraries that the loader would map: "\tlibduckdb.so => /path/libduckdb.so (0x00007f…)" (ld.so(8)).
std::vector<fs::path> libraries_of(const fs::path& executable) {
    Environment environment = {{"LD_TRACE_LOADED_OBJECTS", "1"}};
    if (const char* path = std::getenv("LD_LIBRARY_PATH")) environment.emplace_back("LD_LIBRARY_PATH", path);
    std::istringstream lines(output_of({.program = executable.string(), .environment = std::move(environment)}));
    std::vector<fs::path> libraries;
    for (std::string line; std::getline(lines, line);) {
        const auto arrow = line.find(" => /");
        const auto address = line.rfind(" (0x");
        if (arrow == std::string::npos || address == std::string::npos || address < arrow) continue;
        libraries.emplace_back(line.substr(arrow + 4, address - arrow - 4));
    }
    return libraries;
}

std::vector<fs::path> files_below(const fs::path& directory) {
    std::vector<fs::path> files;
    std::error_code ignored;
    for (const auto& entry : fs::recursive_directory_iterator(directory, ignored)) {
        if (entry.is_regular_file(ignored)) files.push_back(entry.path());
    }
    return files;
}

bool can_read_all(const std::vector<fs::path>& files) {
    for (const auto& file : files) {
        if (::access(file.c_str(), R_OK) != 0) return false;
    }
    return true;
}

bool is_same(const fs::path& original, const fs::path& copy) {
    std::error_code failed;
    const auto size = fs::file_size(copy, failed);
    if (failed || size != fs::file_size(original, failed)) return false;
    return fs::last_write_time(copy, failed) == fs::last_write_time(original, failed);
}

// Whole or not at all, with the original's time, by which the next start knows it.
Status copy_file(const fs::path& original, const fs::path& copy, fs::perms mode) {
    if (is_same(original, copy)) return {};
    const fs::path fresh = copy.string() + ".new";
    std::error_code failed;
    fs::create_directories(copy.parent_path(), failed);
    if (!failed) fs::copy_file(original, fresh, fs::copy_options::overwrite_existing, failed);
    if (!failed) fs::permissions(fresh, mode, failed);
    if (!failed) fs::last_write_time(fresh, fs::last_write_time(original), failed);
    if (!failed) fs::rename(fresh, copy, failed);
    if (failed) return os_error("cannot copy " + original.string() + " to " + copy.string(), failed.value());
    return {};
}

constexpr auto kReadable = fs::perms(0644);
constexpr auto kExecutable = fs::perms(0755);

struct Parts {
    fs::path executable;
    std::vector<fs::path> libraries;
    fs::path extension_dir;
    std::vector<fs::path> extensions;
};

Result<EngineProgram> copy_parts(const Parts& parts, const fs::path& runtime, const BoxUser& user) {
    const EngineProgram program{.executable = runtime / "boathouse-engine",
                                .library_dir = runtime / "lib",
                                .extension_dir = runtime / "extensions"};
    auto copied = copy_file(parts.executable, program.executable, kExecutable);
    for (const auto& library : parts.libraries) {
        const std::vector<fs::path> one{library};
        const auto reachable = ask_as(user, [&] { return can_read_all(one); });
        if (!reachable) return reachable.error();
        if (copied && !*reachable) {
            copied = copy_file(library, fs::path(program.library_dir) / library.filename(), kReadable);
        }
    }
    for (const auto& extension : parts.extensions) {
        const fs::path place = fs::relative(extension, parts.extension_dir);
        if (copied) copied = copy_file(extension, program.extension_dir / place, kReadable);
    }
    if (!copied) return copied.error();
    return program;
}

}  // namespace

Result<EngineProgram> prepare_engine_program(const config::Settings& settings, const BoxUser& user) {
    const auto executable = engine_executable();
    if (!executable) return executable.error();
    const Result<fs::path> extension_dir =
        settings.extension_dir.empty() ? extension_directory() : Result<fs::path>(fs::path(settings.extension_dir));
    if (!extension_dir) return extension_dir.error();
    std::error_code failed;
    Parts parts{.executable = *executable,
                .libraries = libraries_of(*executable),
                .extension_dir = fs::canonical(*extension_dir, failed),
                .extensions = {}};
    if (failed) return os_error("cannot find the extensions in " + extension_dir->string(), failed.value());
    parts.extensions = files_below(parts.extension_dir);

    const auto reachable = ask_as(user, [&] {
        return ::access(parts.executable.c_str(), X_OK) == 0 && can_read_all(parts.libraries) &&
               can_read_all(parts.extensions);
    });
    if (!reachable) return reachable.error();
    if (*reachable) {
        return EngineProgram{.executable = parts.executable, .library_dir = "", .extension_dir = parts.extension_dir};
    }
    if (::geteuid() != 0) {
        return Error{.kind = ErrorKind::configuration,
                     .message = "user '" + user.name + "' cannot read all of the engine's parts: " +
                                parts.executable.string() + ", its libraries, and " + parts.extension_dir.string(),
                     .hint = "make them readable (chmod -R a+rX), or start the box as root or as their owner"};
    }
    const fs::path runtime = fs::path(settings.data_dir) / "runtime";
    log_info("supervisor", "user '{}' cannot reach {}: the engine runs from a copy in {}", user.name,
             parts.executable.parent_path().string(), runtime.string());
    return copy_parts(parts, runtime, user);
}

Result<std::string> prepare_own_program(const config::Settings& settings, const BoxUser& user) {
    const auto own = own_executable();
    if (!own) return own.error();
    const auto reachable = ask_as(user, [&] { return ::access(own->c_str(), X_OK) == 0; });
    if (!reachable) return reachable.error();
    if (*reachable) return own->string();
    const fs::path copy = fs::path(settings.data_dir) / "runtime" / "boathouse";
    if (auto copied = copy_file(*own, copy, kExecutable); !copied) return copied.error();
    return copy.string();
}

}  // namespace boathouse::supervisor
