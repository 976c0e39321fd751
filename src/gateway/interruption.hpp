// Why a statement is stopped from outside, and what its client is told.
#pragma once

namespace boathouse::gateway {

enum class Interruption {
    none,
    cancelled,          // CancelRequest: 57014
    statement_timeout,  // 57014
    stopping,           // the box's grace period is over: 57P01, and the session ends
    gone,               // nobody is there to be told
};

}  // namespace boathouse::gateway
