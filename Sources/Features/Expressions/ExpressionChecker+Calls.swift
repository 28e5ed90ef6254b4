import Columns

/// Functions of the catalogue, and arithmetic with times.
extension ExpressionChecker {
  mutating func catalogued(_ name: String, _ syntax: [Syntax], _ at: Int) throws(SyntaxError) -> ExpressionNode {
    try catalogued(name, try resolve(syntax), at)
  }

  func catalogued(_ name: String, _ arguments: [Checked], _ at: Int) throws(SyntaxError) -> ExpressionNode {
    let overloads = FunctionCatalog.all[name] ?? []
    let shown = name.first?.isLetter == true ? name : "`\(name)`"
    guard overloads.contains(where: { $0.accepts(count: arguments.count) }) else {
      throw SyntaxError("\(shown) takes \(Self.forms(overloads)), found \(arguments.count) arguments", at: at, kind: .type)
    }
    var best: (overload: Overload, distance: Int)?
    for overload in overloads where overload.accepts(count: arguments.count) {
      var distance: Int? = 0
      for (index, argument) in arguments.enumerated() {
        guard let known = distance else { break }
        distance = overload.parameter(index).distance(to: argument.type, isLiteral: argument.literal != nil).map { known + $0 }
      }
      if let distance, distance < best?.distance ?? .max { best = (overload, distance) }
    }
    guard let overload = best?.overload else {
      let found = arguments.map { $0.type.map { "\($0)" } ?? "null" }.joined(separator: ", ")
      throw SyntaxError("\(shown) takes \(Self.forms(overloads)), found (\(found))", at: at, kind: .type)
    }
    var nodes: [ExpressionNode] = []
    var isWallTime = false
    for (index, argument) in arguments.enumerated() {
      let type = overload.parameter(index).type
      if type.isTimestamp, case .timestamp(_, zone: nil) = argument.type { isWallTime = true }
      nodes.append(try converted(typed(argument, as: type), to: type, shown))
    }
    do {
      let kernel = try overload.make(nodes.map(\.literal))
      let type = overload.keepsWallTime && isWallTime ? DataType.wallTime : overload.result
      return ExpressionNode(.call(kernel, nodes, handlesNulls: overload.handlesNulls), type, offset: at)
    } catch {
      throw SyntaxError(error.text, at: at, kind: .type)
    }
  }

  private static func forms(_ overloads: [Overload]) -> String {
    let forms = overloads.map { overload -> String in
      let required = overload.parameters.count - overload.optionalCount
      let names = overload.parameters.enumerated().map { $0.offset < required ? $0.element.rawValue : "[\($0.element.rawValue)]" }
      return "(" + names.joined(separator: ", ") + (overload.isVariadic ? ", …" : "") + ")"
    }
    return forms.joined(separator: " or ")
  }

  // MARK: Times

  /// An interval as written: a literal, or one that a column multiplies.
  private struct Span {
    var interval: Interval
    var count: Syntax?
  }

  private func span(_ syntax: Syntax) -> Span? {
    switch syntax.kind {
    case .interval(let interval): return Span(interval: interval)
    case .negate(let operand):
      guard let inner = span(operand), let interval = inner.interval.multiplied(by: -1) else { return nil }
      return Span(interval: interval, count: inner.count)
    case .arithmetic(.multiply, let left, let right):
      if let inner = span(left), inner.count == nil { return Span(interval: inner.interval, count: right) }
      if let inner = span(right), inner.count == nil { return Span(interval: inner.interval, count: left) }
      return nil
    case .call(let name, let arguments):
      guard name.hasPrefix("to_"), arguments.count == 1, let unit = Interval(unit: String(name.dropFirst(3))) else { return nil }
      return Span(interval: unit, count: arguments[0])
    default: return nil
    }
  }

  /// A date or timestamp plus or minus an interval; nil when neither side is an interval.
  mutating func timeArithmetic(
    _ operation: Arithmetic, _ left: Syntax, _ right: Syntax, _ at: Int
  ) throws(SyntaxError) -> ExpressionNode? {
    guard operation == .add || operation == .subtract else { return nil }
    let (time, found) = span(right).map { (left, $0) } ?? (operation == .add ? span(left).map { (right, $0) } : nil) ?? (left, nil)
    guard var span = found else { return nil }
    return try shifted(time, &span, isNegative: operation == .subtract, at)
  }

  /// `date_add(x, interval)`; nil when the second argument is no interval.
  mutating func dateAdd(_ arguments: [Syntax], _ at: Int) throws(SyntaxError) -> ExpressionNode {
    guard arguments.count == 2, var span = span(arguments[1]) else {
      throw SyntaxError("date_add takes a date or timestamp and an interval, such as interval '1 day'", at: at, kind: .type)
    }
    return try shifted(arguments[0], &span, isNegative: false, at)
  }

  private mutating func shifted(_ time: Syntax, _ span: inout Span, isNegative: Bool, _ at: Int) throws(SyntaxError) -> ExpressionNode {
    let base = try resolve(time)
    let node = typed(base, as: .timestampMicros)
    guard node.type == .date || node.type.isTimestamp else {
      throw SyntaxError("an interval is added to a date or timestamp, found \(node.type)", at: node.offset, kind: .type)
    }
    guard let interval = span.interval.multiplied(by: isNegative ? -1 : 1) else {
      throw SyntaxError("the interval is too long", at: at, kind: .type)
    }
    var operands = [try converted(node, to: .timestampMicros, "interval")]
    if let count = span.count {
      let factor = typed(try resolve(count), as: .int64)
      guard factor.type.isInteger else {
        throw SyntaxError("an interval is multiplied by an integer, found \(factor.type)", at: factor.offset, kind: .type)
      }
      operands.append(factor)
    }
    let kernel = Kernel.int { (row) throws(KernelFailure) in
      guard let scaled = row.count > 1 ? interval.multiplied(by: row.int(1)) : interval, let sum = TimeMath.add(scaled, to: row.int(0))
      else {
        throw KernelFailure(text: "\(CivilTime.formatTimestampMicros(row.int(0))) plus the interval lies outside the range of timestamps")
      }
      return sum
    }
    var type = DataType.timestampMicros
    if case .timestamp(_, zone: nil) = node.type { type = .wallTime }
    return ExpressionNode(.call(kernel, operands, handlesNulls: false), type, offset: at)
  }

  /// A date plus days, and the days between two dates; nil for other operands.
  func dayArithmetic(_ operation: Arithmetic, _ left: Checked, _ right: Checked, _ at: Int) throws(SyntaxError) -> ExpressionNode? {
    guard operation == .add || operation == .subtract, left.type == .date || right.type == .date || left.type?.isTimestamp == true else {
      return nil
    }
    if operation == .subtract, left.type?.isTimestamp == true || right.type?.isTimestamp == true {
      throw SyntaxError("the difference of times is date_diff(part, start, end) or epoch(end) - epoch(start)", at: at, kind: .type)
    }
    let isDifference = operation == .subtract && left.type == .date && right.type == .date
    let days = left.type == .date ? right : left
    guard isDifference || (days.type?.isInteger ?? true && !(operation == .subtract && right.type == .date)) else { return nil }
    let operands = [typed(left, as: .int64), typed(right, as: .int64)]
    let kernel = Kernel.int { (row) throws(KernelFailure) in
      let (value, overflow) =
        operation == .add ? row.int(0).addingReportingOverflow(row.int(1)) : row.int(0).subtractingReportingOverflow(row.int(1))
      guard !overflow, isDifference || Int32(exactly: value) != nil else {
        throw KernelFailure(text: "\(row.int(0)) \(operation.rawValue) \(row.int(1)) lies outside the range of dates")
      }
      return value
    }
    return ExpressionNode(.call(kernel, operands, handlesNulls: false), isDifference ? .int64 : .date, offset: at)
  }
}

extension ExpressionNode {
  var literal: Literal? { if case .literal(let literal) = operation { literal } else { nil } }
}

extension ExpressionChecker.Checked {
  var literal: Literal? { if case .typed(let node) = self { node.literal } else { nil } }
}
