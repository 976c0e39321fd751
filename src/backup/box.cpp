#include "backup/box.hpp"

#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace boathouse::backup {

Result<std::string> box_identity(const config::Settings& settings) {
    const std::string path = config::secrets_dir(settings) + "/box_id";
    auto known = read_file(path);
    if (known || known.error().kind != ErrorKind::not_found) return known;
    std::array<unsigned char, 16> bytes{};
    if (::RAND_bytes(bytes.data(), bytes.size()) != 1) {
        return Error{ErrorKind::internal, "OpenSSL has no random bytes", "", ""};
    }
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string id;
    for (const unsigned char byte : bytes) {
        id += kDigits[byte >> 4U];
        id += kDigits[byte & 15U];
    }
    // The archiver may be making one in this moment: link(2) lets one of the two win.
    const std::string own = path + "." + std::to_string(::getpid());
    if (auto written = write_file(own, id, 0600); !written) return written.error();
    const bool is_taken = ::link(own.c_str(), path.c_str()) != 0;
    const int error = errno;
    ::unlink(own.c_str());
    if (is_taken && error != EEXIST) return os_error("cannot create " + path, error);
    return read_file(path);
}

Result<BackupLock> BackupLock::acquire(const config::Settings& settings) {
    const std::string path = config::run_dir(settings) + "/backup.lock";
    FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!file) return os_error("cannot open " + path, errno);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return BackupLock(std::move(file));
    if (errno != EWOULDBLOCK) return os_error("cannot lock " + path, errno);
    return Error{ErrorKind::conflict, "another backup of this box is being made or removed", "Wait until it is done.",
                 ""};
}

}  // namespace boathouse::backup
