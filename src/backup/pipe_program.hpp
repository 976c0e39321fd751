// A program that a backup passes through: pg_basebackup at its front, tar at its end.
//
// Started with a pipe for its output or its input, which is read or written as bytes; its errors go to a file without a
// name, whose last line is told when it fails. Owned by one thread. Destroyed before it has ended it is killed.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "backup/bytes.hpp"
#include "base/file.hpp"

namespace boathouse::backup {

class PipeProgram {
  public:
    enum class Direction { read_from, write_to };

    // The program's path and its arguments, which every user of the machine can read. Errors: not_found.
    static Result<std::unique_ptr<PipeProgram>> start(std::vector<std::string> command, Direction direction);
    PipeProgram(const PipeProgram&) = delete;
    PipeProgram& operator=(const PipeProgram&) = delete;
    ~PipeProgram();

    // What it prints; or its input.
    Result<std::size_t> read(char* buffer, std::size_t size);
    Status write(std::string_view bytes);

    // Closes the pipe and waits for its end. Errors: unavailable, limit (disk full), with what it said last.
    Status finish();

  private:
    PipeProgram(std::string name, FileDescriptor pipe, FileDescriptor errors, pid_t pid);
    std::string last_words() const;

    const std::string name_;
    FileDescriptor pipe_;
    FileDescriptor errors_;
    pid_t pid_;  // 0: has ended
};

}  // namespace boathouse::backup
