// SPDX-License-Identifier: Apache-2.0
// Result<T, E>: a value or an error, for code that has no exceptions.
// The class is [[nodiscard]]: an ignored failure does not compile. E is an enum or a small struct.
// TRY(expr) yields the value, or returns the error to the caller; the caller's E must be the same or
// constructible from it. Not for violated contracts (our own bugs): those are CHECK, see check.hpp.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

namespace casemate {

/// The failing side of a Result; `return Failure{SomeError::name};`.
template <typename E>
struct Failure {
    E error;
};
template <typename E>
Failure(E) -> Failure<E>;

/// The value of a Result that has none.
struct Done {};

template <typename T, typename E>
class [[nodiscard]] Result {
public:
    constexpr Result(T value) : value_{std::move(value)} {}
    template <typename F>
        requires std::is_constructible_v<E, F>
    constexpr Result(Failure<F> failure) : error_{E(failure.error)} {}

    [[nodiscard]] constexpr bool ok() const { return value_.has_value(); }
    constexpr explicit operator bool() const { return ok(); }
    /// Only after ok().
    [[nodiscard]] constexpr T& value() & { return *value_; }
    [[nodiscard]] constexpr const T& value() const& { return *value_; }
    [[nodiscard]] constexpr T value() && { return std::move(*value_); }
    /// Only after !ok().
    [[nodiscard]] constexpr E error() const { return error_; }

private:
    std::optional<T> value_{};
    E error_{};
};

/// Result without a value: `return Done{};` on success.
template <typename E>
using Status = Result<Done, E>;

} // namespace casemate

// Only where the statement has built nothing else yet: GCC does not destroy the temporaries of an expression that it leaves
// (a braced list whose second element is a TRY leaks the first).
// A statement expression: GCC and Clang both have it, and no C++20 construct replaces it.
#define TRY(expression)                                                                                      \
    ({                                                                                                       \
        auto try_result_ = (expression);                                                                     \
        if (!try_result_.ok()) return ::casemate::Failure{try_result_.error()};                              \
        std::move(try_result_).value();                                                                      \
    })
