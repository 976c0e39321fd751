#include "supervisor/password.hpp"

#include <sys/random.h>

#include <cerrno>

#include "base/file.hpp"

namespace boathouse::supervisor {
namespace {

// Letters and digits that are not mistaken for one another, and that no shell, URL or conninfo needs to quote. 32 of
// them have five bits each.
constexpr std::string_view kAlphabet = "abcdefghijkmnpqrstuvwxyz23456789";
constexpr std::size_t kLength = 26;  // 130 bits
static_assert(kAlphabet.size() == 32);

}  // namespace

Result<Secret> random_password() {
    unsigned char bytes[kLength];
    if (::getrandom(bytes, sizeof(bytes), 0) != static_cast<ssize_t>(sizeof(bytes))) {
        return os_error("cannot get random bytes for a password", errno);
    }
    std::string text;
    for (const unsigned char byte : bytes) text += kAlphabet[byte % kAlphabet.size()];
    return Secret(text);
}

Result<GeneratedPassword> generated_password(const std::string& path) {
    auto kept = read_file(path);
    if (kept) {
        while (!kept->empty() && kept->back() == '\n') kept->pop_back();
        if (!kept->empty()) return GeneratedPassword{.password = Secret(*kept), .is_new = false};
        return Error{.kind = ErrorKind::corrupt,
                     .message = "the generated password in " + path + " is empty",
                     .hint = "remove the file to have a new one generated, or give POSTGRES_PASSWORD"};
    }
    if (kept.error().kind != ErrorKind::not_found) return kept.error();
    const auto fresh = random_password();
    if (!fresh) return fresh.error();
    const auto written = write_file(path, fresh->reveal() + "\n", 0600);
    if (!written) return written.error();
    return GeneratedPassword{.password = *fresh, .is_new = true};
}

}  // namespace boathouse::supervisor
