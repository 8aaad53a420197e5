package dev.replistream.rules.script;

import com.oracle.truffle.api.frame.VirtualFrame;
import com.oracle.truffle.api.instrumentation.Tag;
import com.oracle.truffle.api.nodes.Node;
import com.oracle.truffle.api.nodes.NodeUtil;
import com.oracle.truffle.api.nodes.RootNode;
import com.oracle.truffle.js.nodes.JavaScriptNode;
import com.oracle.truffle.js.nodes.binary.JSBinaryNode;
import com.oracle.truffle.js.nodes.binary.JSExponentiateNode;
import com.oracle.truffle.js.nodes.binary.JSLeftShiftNode;
import com.oracle.truffle.js.nodes.binary.JSRightShiftNode;
import com.oracle.truffle.js.nodes.cast.JSToNumericNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// What stands in the place of a piece of the application's code that makes much of little without
/// calling a function: it looks at the operands first.
abstract sealed class Measured extends JavaScriptNode {
  /// The engine's nodes for `{...value}` and for `{a, ...rest} = value`.
  private static final Set<String> SPREADS =
      Set.of("ObjectLiteralSpreadMemberNode", "RestObjectNodeGen", "RestObjectWithExcludedNodeGen");

  private Measured() {}

  /// Measures what is in a function from now on.
  static void in(RootNode root) {
    List<Node> found = new ArrayList<>();
    root.accept(node -> {
      if (node instanceof JSExponentiateNode
          || node instanceof JSLeftShiftNode
          || node instanceof JSRightShiftNode
          || SPREADS.contains(node.getClass().getSimpleName())) {
        found.add(node);
      }
      return true;
    });
    for (Node node : found) {
      switch (node) {
        case JSBinaryNode operation when operation.getLeft() != null ->
            operation.replace(new Operation(operation.getLeft(), operation.getRight(), operation));
        case JSBinaryNode _ -> {} // inside of one of the others
        default -> {
          for (Node child : NodeUtil.findNodeChildren(node)) {
            if (child instanceof JavaScriptNode value) {
              value.replace(new Source(value));
            }
          }
        }
      }
    }
  }

  /// What properties are copied from.
  private static final class Source extends Measured {
    @Child private JavaScriptNode value;

    Source(JavaScriptNode value) {
      this.value = value;
    }

    @Override
    public Object execute(VirtualFrame frame) {
      Object result = value.execute(frame);
      Steps.requireFewKeys("...", result);
      return result;
    }

    @Override
    protected JavaScriptNode copyUninitialized(Set<Class<? extends Tag>> materializedTags) {
      return new Source(cloneUninitialized(value, materializedTags));
    }
  }

  /// An operator by which a `BigInt` grows fast.
  private static final class Operation extends Measured {
    @Child private JavaScriptNode left;
    @Child private JavaScriptNode right;
    @Child private JSToNumericNode leftNumber = JSToNumericNode.create();
    @Child private JSToNumericNode rightNumber = JSToNumericNode.create();
    @Child private JSBinaryNode operation;

    Operation(JavaScriptNode left, JavaScriptNode right, JSBinaryNode like) {
      this.left = left;
      this.right = right;
      operation =
          switch (like) {
            case JSExponentiateNode _ -> JSExponentiateNode.create();
            case JSLeftShiftNode _ -> JSLeftShiftNode.create();
            default -> JSRightShiftNode.create();
          };
    }

    @Override
    public Object execute(VirtualFrame frame) {
      Object first = left.execute(frame);
      Object second = right.execute(frame);
      Object one = leftNumber.execute(first);
      Object other = rightNumber.execute(second);
      return switch (operation) {
        case JSExponentiateNode power -> {
          Steps.requirePower(one, other);
          yield power.execute(one, other);
        }
        case JSLeftShiftNode shift -> {
          Steps.requireShift(one, other, 1);
          yield shift.executeObject(one, other);
        }
        case JSRightShiftNode shift -> {
          Steps.requireShift(one, other, -1);
          yield shift.execute(one, other);
        }
        default -> throw new IllegalStateException();
      };
    }

    @Override
    protected JavaScriptNode copyUninitialized(Set<Class<? extends Tag>> materializedTags) {
      return new Operation(
          cloneUninitialized(left, materializedTags),
          cloneUninitialized(right, materializedTags),
          operation);
    }
  }
}
