// SPDX-License-Identifier: Apache-2.0
// Console lines of the platform, as the session program reads them.
#include "dlaunch/session/console_event.hpp"

#include <catch2/catch.hpp>

using namespace casemate::session;

TEST_CASE("an event line yields its name and fields", "[session]") {
    const auto event = parse_event("@cm event=assigned device=00:03.0 vm=net0");
    REQUIRE(event);
    CHECK(event->name == "assigned");
    CHECK(event->get("device") == "00:03.0");
    CHECK(event->get("vm") == "net0");
    CHECK(event->get("absent").empty());
}

TEST_CASE("a VM cannot speak for the hypervisor", "[session]") {
    CHECK_FALSE(parse_event("[net0] @cm event=assigned device=00:03.0 vm=net0"));
    CHECK_FALSE(parse_event(" @cm event=assigned"));
    CHECK_FALSE(parse_event("@cm device=00:03.0"));
}

TEST_CASE("a VM's line is split into its name and text", "[session]") {
    const auto line = parse_vm_line("[disk0] CM_PROOF disk bytes=42");
    REQUIRE(line);
    CHECK(line->vm == "disk0");
    const auto proof = parse_proof(line->text);
    REQUIRE(proof);
    CHECK(proof->name == "disk");
    CHECK(proof->get("bytes") == "42");
    CHECK_FALSE(parse_vm_line("[]  nothing"));
    CHECK_FALSE(parse_vm_line("no prefix"));
    CHECK_FALSE(parse_proof("PROOF disk"));
}
