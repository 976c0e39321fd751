#include "supervisor/postgres_installation.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <sstream>

#include "base/file.hpp"
#include "supervisor/child.hpp"

namespace boathouse::supervisor {
namespace {

namespace fs = std::filesystem;

// First line of what a program prints; empty if it cannot be run.
std::string first_line_of(const std::string& program, const std::string& argument) {
    const std::string output = output_of(
        {.program = program, .arguments = {argument}, .environment = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C"}}});
    return output.substr(0, output.find('\n'));
}

bool can_run(const fs::path& program) {
    return ::access(program.c_str(), X_OK) == 0;
}

// Directories that may hold a PostgreSQL, each once, in the order of the search.
std::vector<std::string> candidates(const PostgresSearch& search) {
    std::vector<std::string> directories;
    std::set<std::string> seen;
    const auto add = [&](const fs::path& directory) {
        std::error_code failed;
        const fs::path program = fs::canonical(directory / "postgres", failed);  // Debian links it into PATH
        if (failed || !can_run(program)) return;
        const std::string real = program.parent_path().string();
        if (seen.insert(real).second) directories.push_back(real);
    };
    std::istringstream path(search.path);
    for (std::string directory; std::getline(path, directory, ':');) {
        if (directory.empty()) continue;
        add(directory);
        if (can_run(fs::path(directory) / "pg_config")) {
            add(first_line_of((fs::path(directory) / "pg_config").string(), "--bindir"));
        }
    }
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(search.debian_root, ignored)) add(entry.path() / "bin");
    return directories;
}

std::string list(const std::vector<PostgresInstallation>& found) {
    std::string text;
    for (const auto& one : found) text += (text.empty() ? "" : ", ") + one.version + " in " + one.bin_dir;
    return text;
}

Error configuration(std::string message, std::string hint) {
    return Error{.kind = ErrorKind::configuration, .message = std::move(message), .hint = std::move(hint)};
}

Error none_fits(const PostgresSearch& search, const std::vector<PostgresInstallation>& found) {
    const std::string where =
        search.pg_bin.empty() ? "in PATH, by pg_config or in " + search.debian_root : "in --pg-bin " + search.pg_bin;
    if (search.major) {
        const std::string major = std::to_string(*search.major);
        return configuration(
            "the data directory's cluster was made by PostgreSQL " + major + ", and " +
                (found.empty() ? "no PostgreSQL was found " + where : "only others were found: " + list(found)),
            "install PostgreSQL " + major + " (Debian: postgresql-" + major +
                "), or point --pg-bin at the directory that holds its postgres and initdb; `boathouse "
                "upgrade-postgres` moves the cluster to a newer one");
    }
    if (found.empty()) {
        return configuration("no PostgreSQL was found " + where,
                             "install PostgreSQL " + std::to_string(kPostgresMajorMin) +
                                 " or newer (Debian: postgresql), or point --pg-bin at the directory that holds its "
                                 "postgres and initdb");
    }
    return configuration(
        "PostgreSQL " + std::to_string(kPostgresMajorMin) + " or newer is needed; found " + list(found),
        "install a newer one, or point --pg-bin at it");
}

}  // namespace

std::optional<PostgresInstallation> parse_postgres_version(const std::string& bin_dir, const std::string& line) {
    constexpr std::string_view kPrefix = "postgres (PostgreSQL) ";
    if (line.rfind(kPrefix, 0) != 0) return std::nullopt;
    std::string version = line.substr(kPrefix.size());
    version = version.substr(0, version.find(' '));
    int major = 0;
    const auto [end, failed] = std::from_chars(version.data(), version.data() + version.size(), major);
    if (failed != std::errc() || end == version.data()) return std::nullopt;
    return PostgresInstallation{.bin_dir = bin_dir, .major = major, .version = version};
}

Result<PostgresInstallation> find_postgres(const PostgresSearch& search) {
    std::vector<PostgresInstallation> found;
    const auto directories = search.pg_bin.empty() ? candidates(search) : std::vector{search.pg_bin};
    for (const auto& directory : directories) {
        const auto one = parse_postgres_version(directory, first_line_of(directory + "/postgres", "--version"));
        if (one && can_run(fs::path(directory) / "initdb")) found.push_back(*one);
    }
    const PostgresInstallation* best = nullptr;
    for (const auto& one : found) {
        const bool fits = search.major ? one.major == *search.major : one.major >= kPostgresMajorMin;
        if (fits && (best == nullptr || one.major > best->major)) best = &one;
    }
    if (best == nullptr) return none_fits(search, found);
    return *best;
}

Result<std::optional<int>> cluster_major(const std::string& pgdata) {
    const std::string path = pgdata + "/PG_VERSION";
    std::error_code ignored;
    if (!fs::exists(pgdata, ignored)) return std::optional<int>{};
    const auto text = read_file(path);
    int major = 0;
    if (text && std::from_chars(text->data(), text->data() + text->size(), major).ec == std::errc()) {
        return std::optional<int>{major};
    }
    return Error{.kind = ErrorKind::corrupt,
                 .message = pgdata + " exists but holds no PostgreSQL cluster (its PG_VERSION cannot be read)",
                 .hint = "restore it from a backup, or move it away to start with an empty catalog",
                 .detail = text ? "not a number" : text.error().message};
}

}  // namespace boathouse::supervisor
