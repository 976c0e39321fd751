// What is known of the shapes of the lake's tables, for whoever has just heard from the catalog how old it may be.
//
// The rows of an INSERT of values are made for a table as it was when somebody looked at it (Session::evaluate()), and
// are refused as stale when it turns out to have changed. Who cannot run its statements again, because their answers
// are on the way, has old shapes forgotten first. Any thread; blocks on nothing.
#pragma once

namespace boathouse::engine {

class Lake;

// Shapes that were looked at before the lake's schema had this version are looked up anew.
void forget_older_shapes(Lake& lake, long long schema_version);

}  // namespace boathouse::engine
