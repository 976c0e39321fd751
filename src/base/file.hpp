// Small files, whole: read them, replace them, and keep a descriptor from leaking.
//
// For settings, secrets, locks and state of a few kilobytes; data goes other ways. Blocking, safe from any thread.
// Errors name the file and the operating system's reason; permission, limit (disk full) and not_found are told apart.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace boathouse {

// Owns a file descriptor.
class FileDescriptor {
  public:
    FileDescriptor() = default;
    explicit FileDescriptor(int number) : number_(number) {}
    FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    FileDescriptor& operator=(FileDescriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~FileDescriptor() { close(); }

    int get() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }
    void close();

  private:
    int number_ = -1;
};

// "cannot write /x: No space left on device", of the kind that the errno stands for.
Error os_error(std::string_view what_failed, int error_number);

// The file's bytes. limit when it is larger than `bytes_max`.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max = 1 << 20);

// Replaces the file, or creates it, with exactly this mode: whole or not at all, durable when this returns.
Status write_file(const std::string& path, std::string_view contents, mode_t mode);

}  // namespace boathouse
