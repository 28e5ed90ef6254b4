/// One value of a column: for messages, JSON and tests, never for loops over rows.
package indirect enum Scalar: Hashable, Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case float(Float)
  case double(Double)
  /// Unscaled value and scale: `decimal(12345, scale: 2)` is 123.45.
  case decimal(Int128, scale: Int)
  case string(String)
  case binary([UInt8])
  /// Days since 1970-01-01.
  case date(Int32)
  case timestamp(Int64, TimeUnit)
  /// Ticks since midnight.
  case time(Int64, TimeUnit)
  case duration(Int64, TimeUnit)
  /// The elements of a list; the entries of a map, each a structure of key and value.
  case list([Scalar])
  /// The values of a structure in the order of its fields.
  case structure([Scalar])
}

extension Column {
  /// - Complexity: O(1), plus the length of a string.
  package func scalar(at index: Int) -> Scalar {
    guard isValid(index) else { return .null }
    switch type {
    case .bool: return .bool(bits[index])
    case .int8: return .int(Int64(values(Int8.self)[index]))
    case .int16: return .int(Int64(values(Int16.self)[index]))
    case .int32: return .int(Int64(values(Int32.self)[index]))
    case .int64: return .int(values(Int64.self)[index])
    case .uint8: return .uint(UInt64(values(UInt8.self)[index]))
    case .uint16: return .uint(UInt64(values(UInt16.self)[index]))
    case .uint32: return .uint(UInt64(values(UInt32.self)[index]))
    case .uint64: return .uint(values(UInt64.self)[index])
    case .float16: return .float(Float(values(Float16.self)[index]))
    case .float32: return .float(values(Float.self)[index])
    case .float64: return .double(values(Double.self)[index])
    case .decimal(_, let scale): return .decimal(values(Int128.self)[index], scale: scale)
    case .string: return .string(bytes.string(at: index))
    case .binary: return .binary(Array(bytes[index]))
    case .fixedBinary(let width): return data.slice(byteOffset: index * width, byteCount: width).withBytes { .binary(Array($0)) }
    case .time(let unit):
      return .time(type.byteWidth == 4 ? Int64(values(Int32.self)[index]) : values(Int64.self)[index], unit)
    case .duration(let unit): return .duration(values(Int64.self)[index], unit)
    case .list, .map:
      let ends = listOffsets
      return .list((Int(ends[index])..<Int(ends[index + 1])).map { children[0].scalar(at: $0) })
    case .structure: return .structure(children.map { $0.scalar(at: index) })
    case .date: return .date(values(Int32.self)[index])
    case .timestamp(let unit, _): return .timestamp(values(Int64.self)[index], unit)
    }
  }
}
