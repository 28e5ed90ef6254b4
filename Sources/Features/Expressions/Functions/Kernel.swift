import Columns

/// Why a function has no value for a row; the evaluator adds where.
struct KernelFailure: Error {
  let text: String
}

/// Computes one value of a function from those of its arguments; nil, or false, is null.
///
/// Arguments are read through pointers into the columns, so that nothing is boxed or counted per row.
enum Kernel: Sendable {
  case int(@Sendable (Row) throws(KernelFailure) -> Int64?)
  case double(@Sendable (Row) throws(KernelFailure) -> Double?)
  case bool(@Sendable (Row) throws(KernelFailure) -> Bool?)
  /// Appends the string's bytes.
  case string(@Sendable (Row, inout GrowableBuffer) throws(KernelFailure) -> Bool)
}

/// The arguments of a function at one row. Valid only during the kernel's call.
struct Row {
  // SAFETY: `run` keeps the vectors alive around the loop, and the checker has established count and domain of each.
  fileprivate let arguments: UnsafePointer<Argument>
  let count: Int
  fileprivate let index: Int

  fileprivate struct Argument {
    let values: UnsafeRawPointer
    let offsets: UnsafePointer<Int64>?
    let valid: UnsafePointer<UInt8>?
    /// 0 for a constant, whose only value stands for every row; else all ones.
    let mask: Int
  }

  @inline(__always) func int(_ argument: Int) -> Int64 {
    arguments[argument].values.assumingMemoryBound(to: Int64.self)[index & arguments[argument].mask]
  }

  @inline(__always) func double(_ argument: Int) -> Double {
    arguments[argument].values.assumingMemoryBound(to: Double.self)[index & arguments[argument].mask]
  }

  @inline(__always) func bool(_ argument: Int) -> Bool {
    arguments[argument].values.assumingMemoryBound(to: UInt8.self)[index & arguments[argument].mask] != 0
  }

  @inline(__always) func bytes(_ argument: Int) -> UnsafeRawBufferPointer {
    guard let offsets = arguments[argument].offsets else { preconditionFailure("The checker let a value of another domain through") }
    let row = index & arguments[argument].mask
    return UnsafeRawBufferPointer(start: arguments[argument].values + Int(offsets[row]), count: Int(offsets[row + 1] - offsets[row]))
  }

  func text(_ argument: Int) -> String { String(decoding: bytes(argument), as: UTF8.self) }

  /// Only kernels that handle nulls themselves see any.
  @inline(__always) func isValid(_ argument: Int) -> Bool {
    arguments[argument].valid.map { $0[index & arguments[argument].mask] != 0 } ?? true
  }
}

extension ExpressionEvaluator {
  /// Calls the kernel for each row that is needed: active, and without nulls unless the kernel handles them.
  ///
  /// - Throws: for the first such row that the kernel refuses.
  func run(
    _ kernel: Kernel, _ operands: [Vector], handlesNulls: Bool, _ node: ExpressionNode, _ active: Mask?
  ) throws(EvaluationFailure) -> Vector {
    if !handlesNulls && operands.contains(where: \.isNullConstant) { return .null(node.type) }
    let isConstant = operands.allSatisfy(\.isConstant)
    var firstRow = 0
    if isConstant, let active {
      // A constant fails as soon as any row needs it.
      guard let needed = (0..<count).first(where: { active[active.count == 1 ? 0 : $0] != 0 }) else { return .null(node.type) }
      firstRow = needed
    } else if isConstant && count == 0 {
      return .null(node.type)
    }
    let rowCount = isConstant ? 1 : count
    let inputMask = handlesNulls ? nil : operands.reduce(Mask?.none) { intersection($0, $1.isConstant ? nil : $1.valid) }
    let needed =
      isConstant ? nil : intersection(inputMask, active.flatMap { $0.count == rowCount ? $0 : $0[0] != 0 ? nil : Self.none(rowCount) })
    let arguments = operands.map(\.argument)
    defer { withExtendedLifetime((operands, needed)) {} }

    var hasNull = false
    let target = Mask.filled(rowCount) { $0.initialize(repeating: 1, count: rowCount) }
    let valid = UnsafeMutablePointer(mutating: target.base)
    /// The rows one after another; `body` says whether the row has a value.
    func each(
      _ body: (Int, Row) throws(KernelFailure) -> Bool, skip: (Int) -> Void
    ) throws(EvaluationFailure) {
      var failure: EvaluationFailure?
      // An empty array may have no address, but then no kernel reads an argument.
      arguments.withUnsafeBufferPointer { arguments in
        let base = arguments.baseAddress ?? UnsafePointer(bitPattern: 8)!
        for row in 0..<rowCount {
          if let needed, needed[row] == 0 {
            valid[row] = 0
            hasNull = true
            skip(row)
            continue
          }
          do throws(KernelFailure) {
            if try !body(row, Row(arguments: base, count: operands.count, index: row)) {
              valid[row] = 0
              hasNull = true
            }
          } catch {
            failure = EvaluationFailure(text: error.text, row: isConstant ? firstRow : row, offset: node.offset)
            return
          }
        }
      }
      if let failure { throw failure }
    }
    let storage: Vector.Storage
    switch kernel {
    case .int(let compute):
      let values = try Values<Int64>.filled(rowCount) { (target) throws(EvaluationFailure) in
        try each(
          { (row, arguments) throws(KernelFailure) in
            let value = try compute(arguments)
            target[row] = value ?? 0
            return value != nil
          }, skip: { target[$0] = 0 })
      }
      storage = .int(values)
    case .double(let compute):
      let values = try Values<Double>.filled(rowCount) { (target) throws(EvaluationFailure) in
        try each(
          { (row, arguments) throws(KernelFailure) in
            let value = try compute(arguments)
            target[row] = value ?? 0
            return value != nil
          }, skip: { target[$0] = 0 })
      }
      storage = .double(values)
    case .bool(let compute):
      let values = try Mask.filled(rowCount) { (target) throws(EvaluationFailure) in
        try each(
          { (row, arguments) throws(KernelFailure) in
            let value = try compute(arguments)
            target[row] = value == true ? 1 : 0
            return value != nil
          }, skip: { target[$0] = 0 })
      }
      storage = .bool(values)
    case .string(let compute):
      var data = GrowableBuffer(byteCapacity: rowCount * 16)
      var offsets = GrowableBuffer(byteCapacity: (rowCount + 1) * MemoryLayout<Int64>.stride)
      offsets.append(Int64(0))
      try each(
        { (_, arguments) throws(KernelFailure) in
          let hasValue = try compute(arguments, &data)
          offsets.append(Int64(data.byteCount))
          return hasValue
        }, skip: { _ in offsets.append(Int64(data.byteCount)) })
      storage = .string(Column(type: .string, count: rowCount, data: data.finish(), offsets: offsets.finish()).bytes)
    }
    return .computed(storage, valid: hasNull ? target : nil, from: operands)
  }

  private static func none(_ rowCount: Int) -> Mask { .filled(rowCount) { $0.initialize(repeating: 0, count: rowCount) } }
}

extension Vector {
  fileprivate var argument: Row.Argument {
    let mask = isConstant ? 0 : -1
    switch storage {
    case .int(let values): return Row.Argument(values: values.base, offsets: nil, valid: valid?.base, mask: mask)
    case .double(let values): return Row.Argument(values: values.base, offsets: nil, valid: valid?.base, mask: mask)
    case .bool(let values): return Row.Argument(values: values.base, offsets: nil, valid: valid?.base, mask: mask)
    case .string(let values): return Row.Argument(values: values.data.start, offsets: values.offsets.base, valid: valid?.base, mask: mask)
    case .decimal, .opaque: preconditionFailure("The checker let a value of another domain through")
    }
  }
}
