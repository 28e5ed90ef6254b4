import Columns

/// A type-checked expression over named columns; evaluated over whole batches with SQL null logic.
package struct CompiledExpression: Sendable {
  package let text: String
  package let resultType: DataType
  /// The source columns read, in order of first use.
  package let columns: [String]
  /// What messages call it, such as `feature view user_spend: feature last_amount`.
  private let context: String
  private let columnTypes: [DataType]
  private let root: ExpressionNode

  fileprivate init(text: String, context: String, root: ExpressionNode, columns: [String], schema: Schema) {
    self.text = text
    self.context = context
    self.root = root
    self.columns = columns
    resultType = root.type
    columnTypes = columns.compactMap { schema[$0]?.type }
  }

  /// The column this expression is, when it is nothing but a column: `evaluate` then returns it without copying.
  package var bareColumn: String? { if case .column = root.operation { columns[0] } else { nil } }

  /// The value for every row. The batch holds at least `columns`, in any order.
  ///
  /// - Throws: `type` when a column is absent or has another type than at compilation; `evaluation` when a row fails: an
  ///   overflow of int64, a cast out of range or of a string that is no such value. The error names the row.
  /// - Complexity: O(rows · operations); memory besides the result is that of a chunk of 4,096 rows.
  package func evaluate(_ batch: Batch) throws(FeatureError) -> Column {
    var inputs: [Column] = []
    for (name, type) in zip(columns, columnTypes) {
      guard let column = batch[name] else { throw FeatureError(.type, "Cannot evaluate \(context): the rows have no column \(name)") }
      guard column.type == type else {
        throw FeatureError(.type, "Cannot evaluate \(context): column \(name) is \(column.type), expected \(type)")
      }
      inputs.append(column)
    }
    if case .column = root.operation { return inputs[0] }
    var assembler = ColumnAssembler(resultType, rowCount: batch.rowCount)
    var start = 0
    while start < batch.rowCount {
      let count = min(ExpressionEvaluator.chunkRowCount, batch.rowCount - start)
      let chunk = ExpressionEvaluator(columns: inputs.map { $0.slice(from: start, count: count) }, count: count)
      do {
        assembler.append(try chunk.evaluate(root, nil), from: start, count: count)
      } catch {
        let row = start + error.row
        throw FeatureError(
          .evaluation, "Cannot evaluate \(context): \(error.text) in row \(FeatureError.rowMark), at \(place(error.offset, in: text))",
          row: row)
      }
      start += count
    }
    return assembler.finish()
  }
}

/// Parses and type-checks a SQL scalar expression over the columns of a schema.
///
/// - Parameter context: what messages call it, such as `checkout --where`.
/// - Throws: `definition` for bad syntax, `notFound` for an unknown column or function, `type` for operands that do not fit.
///   The text names the column within the expression.
/// - Complexity: O(bytes); at most 64 KiB of text and 200 levels of nesting are accepted.
package func compileExpression(_ text: String, schema: Schema, context: String) throws(FeatureError) -> CompiledExpression {
  do {
    let syntax = try ExpressionParser.parse(text)
    var checker = ExpressionChecker(schema: schema)
    let root = try checker.check(syntax)
    return CompiledExpression(text: text, context: context, root: root, columns: checker.columns, schema: schema)
  } catch {
    throw FeatureError(error.kind, "\(context): \(error.text), at \(place(error.offset, in: text))")
  }
}

/// Parses and type-checks `expression [as name], …`. Without a name a column keeps its own, and anything else is called as it is written.
///
/// - Throws: as `compileExpression`, and `definition` for a name that comes twice.
package func compileSelection(
  _ text: String, schema: Schema, context: String
) throws(FeatureError) -> [(name: String, expression: CompiledExpression)] {
  do throws(SyntaxError) {
    var result: [(name: String, expression: CompiledExpression)] = []
    var names: Set<String> = []
    for selected in try ExpressionParser.parseSelection(text) {
      var checker = ExpressionChecker(schema: schema)
      let root = try checker.check(selected.syntax)
      let expression = CompiledExpression(text: text, context: context, root: root, columns: checker.columns, schema: schema)
      let written = String(decoding: Array(text.utf8)[selected.range], as: UTF8.self)
      let name = selected.name ?? expression.bareColumn ?? String(written.reversed().drop(while: \.isWhitespace).reversed())
      guard names.insert(name).inserted else {
        throw SyntaxError("two results are named \(name); write `as` and another name", at: selected.range.lowerBound)
      }
      result.append((name, expression))
    }
    return result
  } catch {
    throw FeatureError(error.kind, "\(context): \(error.text), at \(place(error.offset, in: text))")
  }
}

/// ``column 12 of `amount * `` ``, counting characters from 1; a long text is shortened.
private func place(_ offset: Int, in text: String) -> String {
  let column = String(decoding: text.utf8.prefix(offset), as: UTF8.self).count + 1
  guard text.count > 120 else { return "column \(column) of `\(text)`" }
  // The place lies a third into what is shown, or nearer the start of a text that starts there.
  let start = max(0, column - 40)
  return "column \(column) of `\(start > 0 ? "…" : "")\(text.dropFirst(start).prefix(120))\(text.count > start + 120 ? "…" : "")`"
}
