/// A conversion that would lose something, or that does not exist.
package struct CastError: Error, Hashable, Sendable {
  package enum Reason: Hashable, Sendable {
    /// There is no lossless conversion between these types.
    case unsupported
    /// The first row (from 0) whose value does not fit.
    case value(row: Int, Scalar)
    /// The first row (from 0) whose float several integers are rounded to: none of them is known to be meant.
    case ambiguous(row: Int, Scalar)
  }

  package let from: DataType
  package let to: DataType
  package let reason: Reason

  package init(from: DataType, to: DataType, reason: Reason) {
    self.from = from
    self.to = to
    self.reason = reason
  }

  /// The first row, from 0, whose value does not fit.
  package var row: Int? {
    switch reason {
    case .unsupported: nil
    case .value(let row, _), .ambiguous(let row, _): row
    }
  }
}

extension CastError: CustomStringConvertible {
  package var description: String { text(row: row.map { "\($0 + 1)" } ?? "") }

  /// The description with other words for the row than its number, counted from 1.
  package func text(row: String) -> String {
    switch reason {
    case .unsupported: "Cannot convert \(from) to \(to): there is no lossless conversion between these types"
    case .value(_, let value):
      "Cannot convert \(from) to \(to): row \(row) holds \(Self.text(value)), which \(to) cannot hold exactly"
    case .ambiguous(_, let value):
      "Cannot convert \(from) to \(to): row \(row) holds \(Self.text(value)), to which \(from) rounds several integers; give it as an integer"
    }
  }

  private static func text(_ value: Scalar) -> String {
    switch value {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .int(let value): "\(value)"
    case .uint(let value): "\(value)"
    case .float(let value): "\(value)"
    case .double(let value): "\(value)"
    case .decimal(let value, let scale): "\(value)e-\(scale)"
    case .string(let value): "\"\(value)\""
    case .binary(let bytes): "\(bytes.count) bytes that are not UTF-8"
    case .date(let days): "day \(days)"
    case .timestamp(let ticks, let unit), .time(let ticks, let unit), .duration(let ticks, let unit): "\(ticks) \(unit.rawValue)"
    case .list(let values): "a list of \(values.count)"
    case .structure(let values): "a structure of \(values.count)"
    }
  }
}
