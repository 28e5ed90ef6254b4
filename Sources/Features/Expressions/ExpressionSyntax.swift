import Columns

/// An expression as written: names and types are not resolved yet.
final class Syntax: Sendable {
  indirect enum Kind: Sendable {
    case literal(Literal)
    case column(String)
    case negate(Syntax)
    case not(Syntax)
    case arithmetic(Arithmetic, Syntax, Syntax)
    case comparison(Comparison, Syntax, Syntax)
    case concatenation(Syntax, Syntax)
    /// Flat, so that a long chain is no deep tree.
    case and([Syntax])
    case or([Syntax])
    case isNull(Syntax, negated: Bool)
    /// `is true` and `is false`, which are never null.
    case isTruth(Syntax, Bool, negated: Bool)
    /// `is distinct from`: an inequality for which null is a value like others.
    case distinct(Syntax, Syntax, negated: Bool)
    case between(Syntax, low: Syntax, high: Syntax, negated: Bool)
    case inList(Syntax, [Syntax], negated: Bool)
    case choice(operand: Syntax?, branches: [Branch], otherwise: Syntax?)
    /// With `isTry` what cannot be cast is null.
    case cast(Syntax, DataType, isTry: Bool)
    case interval(Interval)
    case call(String, [Syntax])
  }

  struct Branch: Sendable {
    let when: Syntax
    let then: Syntax
  }

  let kind: Kind
  /// Where it starts in the text: the number of bytes before it.
  let offset: Int
  /// Levels of nesting, itself included.
  let depth: Int

  init(_ kind: Kind, offset: Int, children: [Syntax] = []) {
    self.kind = kind
    self.offset = offset
    depth = 1 + (children.lazy.map(\.depth).max() ?? 0)
  }
}

enum Literal: Hashable, Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case string(String)
  /// `date '2024-02-29'`, in days since 1970-01-01.
  case date(Int32)
  /// `timestamp '2024-02-29T12:00:00Z'`, in microseconds since 1970-01-01T00:00:00Z.
  case timestamp(Int64)
}

enum Arithmetic: String, Sendable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case remainder = "%"
}

enum Comparison: String, Sendable {
  case equal = "="
  case unequal = "<>"
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
}

/// `interval '1 month 2 days'`: its parts are added in this order.
struct Interval: Hashable, Sendable {
  var months: Int64 = 0
  var days: Int64 = 0
  var micros: Int64 = 0
}

/// What is wrong with an expression, and where; the compiler of the expression adds the context.
struct SyntaxError: Error {
  let kind: FeatureError.Kind
  let text: String
  /// The number of bytes before it.
  let offset: Int

  init(_ text: String, at offset: Int, kind: FeatureError.Kind = .definition) {
    self.kind = kind
    self.text = text
    self.offset = offset
  }
}
