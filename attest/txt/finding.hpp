// SPDX-License-Identifier: Apache-2.0
// What somebody who reads a log must be told: a word, where, and one sentence.
#pragma once

#include "attest/txt/record_reader.hpp"

#include <string>
#include <vector>

namespace casemate::txt {

enum class Severity {
    refused, // the launch is not believed
    remark,  // to know; what stays unproved
};

struct Finding {
    TxtReason reason{};
    Severity severity = Severity::refused;
    std::uint32_t record = 0; // 0: no record in particular
    std::size_t offset = 0;
    std::string detail;
};

class Findings {
public:
    void refuse(TxtReason reason, std::string detail) { add({reason, Severity::refused, 0, 0, std::move(detail)}); }
    void refuse(TxtReason reason, const Record& record, std::string detail) {
        add({reason, Severity::refused, record.number, record.offset, std::move(detail)});
    }
    void refuse(const Fault& fault, std::string detail) {
        add({fault.reason, Severity::refused, fault.number, fault.offset, std::move(detail)});
    }
    void remark(TxtReason reason, std::string detail) { add({reason, Severity::remark, 0, 0, std::move(detail)}); }
    void remark(TxtReason reason, const Record& record, std::string detail) {
        add({reason, Severity::remark, record.number, record.offset, std::move(detail)});
    }
    [[nodiscard]] const std::vector<Finding>& all() const { return all_; }
    [[nodiscard]] bool refused() const;
    [[nodiscard]] bool contains(TxtReason reason) const;

private:
    void add(Finding finding);

    std::vector<Finding> all_;
    std::size_t refusals_ = 0, remarks_ = 0;
};

} // namespace casemate::txt
