#include "supervisor/data_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <set>
#include <vector>

#include "base/file.hpp"
#include "base/log.hpp"
#include "supervisor/lake_access.hpp"

namespace boathouse::supervisor {
namespace {

namespace fs = std::filesystem;

constexpr const char* kVersionFile = "boathouse.version";

// A new cluster takes about 40 MB, and PostgreSQL wants room for its log of changes (16 MB a segment).
constexpr std::uintmax_t kFreeMbNewCluster = 160;
constexpr std::uintmax_t kFreeMbExistingCluster = 48;

struct Part {
    const char* name;
    mode_t mode;
};
// postgres/ is not among them: initdb makes it. Direct clients read and write lake/; the others are nobody else's.
constexpr std::array kParts = {Part{"lake", 0755},    Part{"run", 0700}, Part{"tls", 0700},
                               Part{"secrets", 0700}, Part{"tmp", 0700}, Part{"log", 0700}};

Error configuration(std::string message, std::string hint) {
    return Error{.kind = ErrorKind::configuration, .message = std::move(message), .hint = std::move(hint)};
}

std::string version_path(const std::string& directory) {
    return directory + "/" + kVersionFile;
}

Status create(const std::string& directory) {
    std::error_code failed;
    fs::create_directories(directory, failed);
    if (failed) {
        Error error = os_error("cannot create the data directory " + directory, failed.value());
        error.hint = "create it for the user who starts the box, or choose another with --data-dir";
        return error;
    }
    return {};
}

// What an earlier start may have left before it came to write the mark, and what a file system or an operator puts
// there.
bool is_expected(const std::string& name) {
    static const std::set<std::string> kNames = {
        "postgres", "postgres.new",   "lake",       "run",
        "tls",      "secrets",        "tmp",        "log",
        "runtime",  "boathouse.toml", "lost+found", std::string(kVersionFile) + ".new"};
    return kNames.count(name) != 0;
}

Status check_format(const std::string& directory) {
    const auto text = read_file(version_path(directory));
    if (!text && text.error().kind == ErrorKind::not_found) {
        std::error_code failed;
        for (const auto& entry : fs::directory_iterator(directory, failed)) {
            const std::string name = entry.path().filename().string();
            if (is_expected(name)) continue;
            return configuration(
                directory + " is not a Boathouse data directory and not empty: it holds '" + name + "'",
                "name an empty directory, or one that Boathouse has made, with --data-dir");
        }
        if (failed) return os_error("cannot read the data directory " + directory, failed.value());
        return {};
    }
    if (!text) return text.error();
    int format = 0;
    const auto parsed = std::from_chars(text->data(), text->data() + text->size(), format);
    if (parsed.ec != std::errc()) {
        return Error{.kind = ErrorKind::corrupt,
                     .message = version_path(directory) + " does not hold a format number",
                     .hint = "it should hold the single number " + std::to_string(kDataFormat) +
                             "; if the rest of the directory is whole, write that into it"};
    }
    if (format != kDataFormat) {
        return configuration(
            "the data directory " + directory + " has format " + std::to_string(format) +
                ", and this Boathouse reads format " + std::to_string(kDataFormat),
            format > kDataFormat
                ? "a newer Boathouse has used it: run that version or a later one"
                : "an older Boathouse made it: run that version, or see Upgrades in docs/operations.md");
    }
    return {};
}

Status check_owner(const std::string& directory, const BoxUser& user) {
    struct stat status {};
    if (::stat(directory.c_str(), &status) != 0) return os_error("cannot examine " + directory, errno);
    if (!S_ISDIR(status.st_mode)) {
        return configuration(directory + " is not a directory", "name a directory with --data-dir");
    }
    if (::geteuid() == 0 || status.st_uid == user.uid) return {};
    return configuration("the data directory " + directory + " belongs to user '" + user_name(status.st_uid) +
                             "', and the box was started by '" + user.name + "'",
                         "start it as '" + user_name(status.st_uid) + "', or choose another with --data-dir");
}

// Writes rather than asks: a read-only mount, a full disk and a quota all show here.
Status check_writable(const std::string& directory) {
    const std::string probe = directory + "/.boathouse-probe";
    const FileDescriptor file(::open(probe.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) {
        const int error_number = errno;
        Error error = os_error("cannot write to the data directory " + directory, error_number);
        error.hint = error_number == EROFS
                         ? "its file system is mounted read-only: mount it read-write, or choose "
                           "another directory with --data-dir"
                         : "give it to the user who starts the box, or choose another with --data-dir";
        return error;
    }
    (void)::unlink(probe.c_str());
    return {};
}

Status check_space(const std::string& directory) {
    struct statvfs status {};
    if (::statvfs(directory.c_str(), &status) != 0) return os_error("cannot examine " + directory, errno);
    const std::uintmax_t free_mb = status.f_bavail * status.f_frsize / (std::uintmax_t{1024} * 1024);
    std::error_code ignored;
    const bool is_new = !fs::exists(directory + "/postgres", ignored);
    const std::uintmax_t needed_mb = is_new ? kFreeMbNewCluster : kFreeMbExistingCluster;
    if (free_mb >= needed_mb) return {};
    return Error{.kind = ErrorKind::limit,
                 .message = "the disk of the data directory " + directory + " is full: " + std::to_string(free_mb) +
                            " MB are free, and " + std::to_string(needed_mb) + " MB are needed " +
                            (is_new ? "to create the catalog" : "for PostgreSQL to start safely"),
                 .hint = "free some space on it; nothing in the data directory may be removed by hand"};
}

// The first directory on the way that the user cannot pass through, for the message.
std::string closed_directory(const std::string& directory, const BoxUser& user) {
    fs::path way;
    for (const auto& step : fs::path(directory)) {
        way /= step;
        const auto open = ask_as(user, [&] { return ::access(way.c_str(), X_OK) == 0; });
        if (!open || !*open) return way.string();
    }
    return directory;
}

Status check_reachable(const std::string& directory, const BoxUser& user) {
    const auto reachable = ask_as(user, [&] { return ::access(directory.c_str(), X_OK) == 0; });
    if (!reachable) return reachable.error();
    if (*reachable) return {};
    const std::string closed = closed_directory(directory, user);
    return configuration("the box's user '" + user.name + "' cannot reach the data directory " + directory + ": " +
                             closed + " is closed to it",
                         "choose a --data-dir outside of " + closed + ", open that one (chmod o+x " + closed +
                             "), or name a user who may pass with --run-as");
}

Status own(const std::string& path, const BoxUser& user) {
    if (::lchown(path.c_str(), user.uid, user.gid) != 0)
        return os_error("cannot give " + path + " to " + user.name, errno);
    return {};
}

// Children before their directory: a directory that is the user's has been done whole, even if an earlier start was
// killed.
Status own_tree(const std::string& path, const BoxUser& user) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0)
        return errno == ENOENT ? Status{} : os_error("cannot examine " + path, errno);
    if (status.st_uid == user.uid) return {};
    if (S_ISDIR(status.st_mode)) {
        std::error_code failed;
        for (const auto& entry : fs::directory_iterator(path, failed)) {
            const auto owned = own_tree(entry.path().string(), user);
            if (!owned) return owned.error();
        }
        if (failed) return os_error("cannot read " + path, failed.value());
    }
    return own(path, user);
}

Status create_part(const std::string& path, mode_t mode, const BoxUser& user) {
    if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return os_error("cannot create " + path, errno);
    if (::geteuid() == 0) {
        const auto owned = own_tree(path, user);
        if (!owned) return owned.error();
    }
    if (mode == 0700 && ::chmod(path.c_str(), mode) != 0) return os_error("cannot close " + path + " to others", errno);
    return {};
}

}  // namespace

Status check_data_directory(const config::Settings& settings, const BoxUser& user) {
    const std::string& directory = settings.data_dir;
    if (auto created = create(directory); !created) return created.error();
    if (auto owner = check_owner(directory, user); !owner) return owner.error();
    if (auto format = check_format(directory); !format) return format.error();
    if (auto reachable = check_reachable(directory, user); !reachable) return reachable.error();
    if (auto writable = check_writable(directory); !writable) return writable.error();
    if (auto space = check_space(directory); !space) return space.error();
    return create_part(config::run_dir(settings), 0700, user);
}

Status lay_out_data_directory(const config::Settings& settings, const BoxUser& user) {
    const std::string& directory = settings.data_dir;
    const auto marked = write_file(version_path(directory), std::to_string(kDataFormat) + "\n", 0644);
    if (!marked) return marked.error();
    for (const auto& part : kParts) {
        const auto created = create_part(directory + "/" + part.name, part.mode, user);
        if (!created) return created.error();
    }
    if (::geteuid() == 0) {
        for (const std::string& path :
             {directory + "/postgres", directory + "/postgres.new", version_path(directory)}) {
            const auto owned = own_tree(path, user);
            if (!owned) return owned.error();
        }
        const auto owned = own(directory, user);
        if (!owned) return owned.error();
    }
    return {};
}

}  // namespace boathouse::supervisor
