// SPDX-License-Identifier: Apache-2.0
// See metrics.hpp.
#include "tests/bench/attest/metrics.hpp"

#include <algorithm>
#include <cstdio>

namespace casemate::bench::attest {
namespace {

constexpr Bar at_least(double value) { return {Bar::Side::at_least, value}; }
constexpr Bar at_most(double value) { return {Bar::Side::at_most, value}; }

const Metric table[] = {
    {"appraisal", "appraisals on one core, one bank", "1/s"},
    {"appraisal_verify", "ECDSA P-256 verifications on one core", "1/s"},
    {"appraisal_ratio", "appraisals for each verification", "", at_least(0.60)},
    {"appraisal_two_banks", "appraisals on one core, sha256 and sha384 quoted", "1/s"},
    {"appraisal_two_banks_verify", "ECDSA P-256 verifications on one core", "1/s"},
    {"appraisal_two_banks_ratio", "appraisals for each verification", "", at_least(0.60)},
    {"rounds_200", "whole rounds, 200 connections", "1/s", at_least(3000)},
    {"rounds_200_least", "of the connection that was served least", "rounds", at_least(1)},
    {"rounds_200_most", "of the connection that was served most", "rounds"},
    {"rounds_200_cost", "processor time of the service", "us/round"},
    {"rounds_200_generator", "processor time of the load's generator", "us/round"},
    {"rounds_200_verify", "ECDSA P-256 verifications on one core, before and after", "1/s"},
    {"rounds_2000", "whole rounds, 2,000 connections", "1/s", at_least(3000)},
    {"rounds_2000_least", "of the connection that was served least", "rounds", at_least(1)},
    {"rounds_2000_most", "of the connection that was served most", "rounds"},
    {"rounds_2000_cost", "processor time of the service", "us/round"},
    {"rounds_2000_generator", "processor time of the load's generator", "us/round"},
    {"rounds_2000_verify", "ECDSA P-256 verifications on one core, before and after", "1/s"},
    {"rounds_postgresql", "whole rounds, two replicas on PostgreSQL, 200 connections", "1/s", at_least(3000)},
    {"rounds_postgresql_least", "of the connection that was served least", "rounds", at_least(1)},
    {"rounds_postgresql_cost", "processor time of both replicas", "us/round"},
    {"rounds_postgresql_generator", "processor time of the load's generator", "us/round"},
    {"rounds_postgresql_verify", "ECDSA P-256 verifications on one core, before and after", "1/s"},
    {"leases_rate", "renewals, 10,000 platforms", "1/s", at_least(495)},
    {"leases_p50", "renewal, median", "ms"},
    {"leases_p99", "renewal, 99 of 100", "ms", at_most(50)},
    {"leases_memory", "resident memory of the service, most", "MiB", at_most(200)},
    {"leases_cost", "processor time of the service", "us/round"},
    {"curve_1000", "a renewal with 1,000 platforms stored", "us"},
    {"curve_10000", "a renewal with 10,000 platforms stored", "us"},
    {"curve_100000", "a renewal with 100,000 platforms stored", "us"},
    {"curve_growth", "from 1,000 to 100,000", "", at_most(1.25)},
};

} // namespace

std::string Bar::text() const {
    char text[32];
    std::snprintf(text, sizeof text, "%s %g", side == Side::at_least ? ">=" : "<=", value);
    return text;
}

std::span<const Metric> metrics() { return table; }

bool wanted(const std::string& group, const std::string& only) {
    return std::ranges::any_of(table, [&](std::string_view name) { return name.starts_with(group) && name.starts_with(only); }, &Metric::name);
}

} // namespace casemate::bench::attest
